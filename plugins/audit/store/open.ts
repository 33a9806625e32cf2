// From the config to the store of the log, and to the key that lies beside it.
import type { Stores } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { LogStore } from './log-store.ts'
import { postgresStore } from './postgres.ts'
import { sqliteStore } from './sqlite.ts'

/** In the database of the gateway, where the config names one. `path`: another file than the configured one. */
export function openStore(stores: Stores, config: AuditConfig, path?: string): LogStore {
  const database = path === undefined ? stores.postgres() : undefined
  return database === undefined ? sqliteStore(stores, path ?? config.path, config.durability) : postgresStore(database, config.durability)
}

export function masterKeyPath(stores: Stores, config: AuditConfig): string {
  return `${stores.resolve(config.path)}.key`
}

/** Of the key that signs checkpoints, and of the text by which others know it. */
export function signingPaths(stores: Stores, config: AuditConfig): { readonly key: string; readonly verifier: string } {
  const log = stores.resolve(config.path)
  return { key: config.signingKey === undefined ? `${log}.signing-key` : stores.resolve(config.signingKey), verifier: `${log}.verifier` }
}
