// From the config to the store of the log, and to the key that lies beside it.
import type { Stores } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { LogStore } from './log-store.ts'
import { sqliteStore } from './sqlite.ts'

/** `path`: another file than the configured one. */
export function openStore(stores: Stores, config: AuditConfig, path: string = config.path): LogStore {
  return sqliteStore(stores, path, config.durability)
}

export function masterKeyPath(stores: Stores, config: AuditConfig): string {
  return `${stores.resolve(config.path)}.key`
}
