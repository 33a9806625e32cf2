// `stripe migrate`: makes or renews the tables in PostgreSQL, for a gateway whose role may not.
import type { CommandIo } from 'mcpgw/plugin'
import type { StripeConfig } from '../config.ts'
import { readMigrations } from '../store/postgres.ts'

export async function migrateOutbox({ stores, options, json, out, err }: CommandIo<StripeConfig>): Promise<number> {
  const migrations = await readMigrations()
  if (options.sql === true) {
    out(['BEGIN;', ...migrations.steps, 'COMMIT;'].join('\n'))
    return 0
  }
  const database = stores.postgres()
  if (database === undefined) {
    err('stripe migrate: the config names no database (store.url); the tables of a file are made by the gateway itself\n')
    return 2
  }
  try {
    const { from, to } = await database.migrate(migrations, 'apply')
    const what = from === to ? `tables are of version ${to} already` : `tables brought from version ${from} to ${to}`
    out(json ? JSON.stringify({ database: database.name, from, to }, null, 2) : `${database.name}: ${what}`)
    return 0
  } catch (error) {
    err(`stripe migrate: ${(error as Error).message}\n`)
    return 3
  } finally {
    await database.close()
  }
}
