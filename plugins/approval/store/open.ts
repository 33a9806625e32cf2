// From the config to the store of requests for approval.
import { existsSync } from 'node:fs'
import type { Stores } from 'mcpgw/plugin'
import type { ApprovalConfig } from '../config.ts'
import { postgresApprovals } from './postgres.ts'
import { sqliteApprovals } from './sqlite.ts'
import type { ApprovalStore } from './store.ts'

type Where = Pick<ApprovalConfig, 'path'>

/** In the database of the gateway, where the config names one. Rejects where it cannot be opened; the message names it. */
export async function openApprovals(stores: Stores, { path }: Where): Promise<ApprovalStore> {
  const database = stores.postgres()
  return database === undefined ? sqliteApprovals(stores, path) : postgresApprovals(database)
}

/** What `work` makes of the store; undefined where there is none yet: none is made by asking. */
export async function withApprovals<T>(stores: Stores, where: Where, work: (store: ApprovalStore) => Promise<T>): Promise<T | undefined> {
  if (stores.postgres() === undefined && !existsSync(stores.resolve(where.path))) return undefined
  const store = await openApprovals(stores, where)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
