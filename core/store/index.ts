// The stores of one gateway: SQLite files in its data directory, opened through whichever driver this Node has, a PostgreSQL database, and a Redis server.
import { resolve as absolute, isAbsolute, join } from 'node:path'
import type { Log } from '../plugin/host.ts'
import type { Stores } from '../plugin/store.ts'
import { BACKSTOP, withCheckpoints } from './checkpointer.ts'
import { openDatabase } from './database.ts'
import { type Driver, loadDriver } from './driver.ts'
import { openPostgres } from './postgres/index.ts'
import { createPrivateFile } from './private-file.ts'
import { openPrivateKey } from './private-key.ts'
import { openRedis } from './redis/index.ts'
import { createWriter, inlineCommitter } from './writer.ts'
import { threadCommitter } from './writer-thread.ts'

export { StoreFault, type StoreFaultCode } from './fault.ts'
export { readSteps } from './postgres/steps.ts'

/** Where stores are, as another process needs it to open the same. */
export interface StorePlace {
  /** Absolute. */
  readonly dataDir: string
  readonly url: string | undefined
  readonly redis: string | undefined
}

const places = new WeakMap<Stores, StorePlace>()

/** Undefined where they are not of this file. */
export const placeOf = (stores: Stores): StorePlace | undefined => places.get(stores)

export interface StoreOptions {
  /** Created with the first file. */
  readonly dataDir: string
  /** Of a PostgreSQL database. */
  readonly url?: string | undefined
  /** URL of a Redis server. */
  readonly redis?: string | undefined
  readonly log?: Log
}

/** Loads no driver until something is opened. */
export function createStores(options: StoreOptions): Stores {
  const dataDir = absolute(options.dataDir)
  let loaded: Driver | undefined
  const driver = (): Driver => {
    if (loaded === undefined) {
      loaded = loadDriver()
      options.log?.debug('sqlite driver', { driver: loaded.name })
    }
    return loaded
  }
  const resolve = (path: string): string => (path === ':memory:' || isAbsolute(path) ? path : join(dataDir, path))

  const stores: Stores = {
    resolve,
    createPrivate: (path, content) => createPrivateFile(resolve(path), content),
    key: path => openPrivateKey(resolve(path)),
    postgres: () => (options.url === undefined ? undefined : openPostgres(options.url)),
    redis: () => (options.redis === undefined ? undefined : openRedis(options.redis)),
    open: (path, how) => openDatabase(driver(), resolve(path), how),
    writer(path, { durability, setup, statements, schema }) {
      const file = resolve(path)
      const how = { durability, ...(schema === undefined ? {} : { schema }) }
      return createWriter(async onLost => {
        const db = openDatabase(driver(), file, how)
        try {
          db.exec(setup)
        } catch (error) {
          db.close()
          throw error
        }
        // A database in memory belongs to its connection, and has no fsync to wait for.
        if (file === ':memory:') return inlineCommitter(db, statements)
        if (durability === 'os') {
          db.exec(BACKSTOP)
          return withCheckpoints(inlineCommitter(db, statements), driver(), file)
        }
        db.close()
        return threadCommitter(driver(), file, statements, onLost)
      })
    },
  }
  places.set(stores, { dataDir, url: options.url, redis: options.redis })
  return stores
}
