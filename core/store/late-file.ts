// A SQLite file that several processes share, such as the command line and a gateway that runs: made with the first write, and always the one that is there now.
import { statSync } from 'node:fs'
import type { Database, Stores } from '../plugin/index.ts'
import { StoreFault } from './fault.ts'

export interface LateFile {
  exists(): boolean
  /** Undefined where there is no file; throws where there was one. */
  read(): Database | undefined
  /** Makes the file. */
  write(): Database
  close(): void
}

/** `tables`: SQL that leads from nothing to version `schema`, and sets it as `user_version`. */
export function useLateFile(
  stores: Pick<Stores, 'open' | 'resolve'>,
  { name, schema, tables }: { readonly name: string; readonly schema: number; readonly tables: string },
): LateFile {
  const path = stores.resolve(name)
  let opened: { readonly db: Database; readonly inode: bigint } | undefined
  const inodeNow = (): bigint | undefined => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino

  function open(): Database {
    // Invariant: what is read is the file that is there: another one may have been put in its place.
    if (opened !== undefined && opened.inode !== inodeNow()) {
      opened.db.close()
      opened = undefined
    }
    if (opened !== undefined) return opened.db
    const db = stores.open(name, { durability: 'full', schema })
    try {
      if (Number(db.prepare('PRAGMA user_version').get()?.user_version) < schema) db.transaction(() => db.exec(tables))
      opened = { db, inode: inodeNow()! }
      return db
    } catch (error) {
      db.close()
      throw error
    }
  }

  return {
    exists: () => inodeNow() !== undefined,
    read() {
      if (inodeNow() !== undefined) return open()
      if (opened === undefined) return undefined
      throw new StoreFault('store-missing', `${path}: no such file any more`)
    },
    write: open,
    close() {
      opened?.db.close()
      opened = undefined
    },
  }
}
