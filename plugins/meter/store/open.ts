// From the config to the store of usage.
import type { Stores } from 'mcpgw/plugin'
import type { MeterConfig } from '../config.ts'
import { postgresUsage } from './postgres.ts'
import { sqliteUsage } from './sqlite.ts'
import type { UsageStore } from './usage-store.ts'

/** In the database of the gateway, where the config names one. Rejects where it cannot be opened; the message names it. */
export async function openUsage(stores: Stores, { path }: Pick<MeterConfig, 'path'>, how: 'read' | 'write'): Promise<UsageStore> {
  const database = stores.postgres()
  return database === undefined ? sqliteUsage(stores, path, how) : postgresUsage(database, how)
}
