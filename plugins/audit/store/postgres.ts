// A log in a PostgreSQL database, which several gateways may share.
import type { Postgres } from 'mcpgw/plugin'
import type { LogStore } from './log-store.ts'
import { createPostgresReader } from './postgres-reader.ts'
import { openPostgresRetention } from './postgres-retention.ts'
import { lockOf, readMigrations, statements } from './postgres-tables.ts'

export function postgresStore(database: Postgres, durability: 'full' | 'os'): LogStore {
  return {
    name: database.name,
    async writer(stream) {
      await database.migrate(await readMigrations(), 'apply')
      return database.writer({ durability, statements, lock: lockOf(stream) })
    },
    async reader() {
      await database.migrate(await readMigrations(), 'check')
      return createPostgresReader(database)
    },
    async retention() {
      await database.migrate(await readMigrations(), 'check')
      return openPostgresRetention(database)
    },
    close: () => database.close(),
  }
}
