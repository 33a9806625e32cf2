// The store in which operators tell all gateways at once what they want, opened for a verb and closed after it.
import type { Loaded } from '../config/load.ts'
import { type KillStore, openKillStore } from '../kill/store.ts'
import { createLog } from '../log.ts'
import type { JsonObject, Stores } from '../plugin/index.ts'
import { isStoreAnswer } from '../store/fault.ts'
import { createVerbRecord } from './record.ts'
import { loadOrStarter } from './starter.ts'
import { openStores } from './stores.ts'
import type { VerbIo } from './verb.ts'

export interface AtStore {
  readonly io: VerbIo
  readonly loaded: Loaded
  readonly stores: Stores
  readonly store: KillStore
  /** False where it could not be recorded; it is done all the same. */
  record(type: 'kill.set' | 'kill.lifted' | 'server.restart', detail: JsonObject): Promise<boolean>
}

/** 2 where the config is wrong, 3 where the store cannot be reached. */
export async function withKillStore(io: VerbIo, work: (at: AtStore) => Promise<number>): Promise<number> {
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const log = createLog({ level: loaded.config.log === 'info' ? 'warn' : loaded.config.log, write: line => io.err(line) })
  const stores = await openStores(loaded.config.store, log)
  const recording = createVerbRecord(loaded, { stores, log, cwd: io.cwd, version: io.version })
  let store: KillStore | undefined
  try {
    store = await openKillStore(stores)
    return await work({ io, loaded, stores, store, record: (type, detail) => recording.event({ type, detail }) })
  } catch (error) {
    if (!isStoreAnswer(error)) throw error
    io.err(`error[kill-store]: ${error.message}\n`)
    return 3
  } finally {
    await store?.close()
    await recording.close()
  }
}
