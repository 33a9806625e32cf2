// From the config to the outbox.
import type { Stores } from 'mcpgw/plugin'
import type { StripeConfig } from '../config.ts'
import type { Outbox } from './outbox.ts'
import { postgresOutbox } from './postgres.ts'
import { sqliteOutbox } from './sqlite.ts'

/** In the database of the gateway, where the config names one. */
export function openOutbox(stores: Stores, { path }: Pick<StripeConfig, 'path'>): Outbox {
  const database = stores.postgres()
  return database === undefined ? sqliteOutbox(stores, path) : postgresOutbox(database)
}
