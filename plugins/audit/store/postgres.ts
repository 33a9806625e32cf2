// A log in a PostgreSQL database, which several gateways may share.
import type { Postgres } from 'mcpgw/plugin'
import type { LogStore } from './log-store.ts'
import { tables } from './migrations.ts'
import { createPostgresReader } from './postgres-reader.ts'
import { openPostgresRetention } from './postgres-retention.ts'
import { exportLockOf, KEEP_EXPORT, lockOf, READ_EXPORT, statements } from './postgres-tables.ts'

export function postgresStore(database: Postgres, durability: 'full' | 'os'): LogStore {
  const exportState = async (name: string): Promise<string | undefined> => {
    const [row] = await database.query(READ_EXPORT, [name])
    return row && String(row.state)
  }
  return {
    name: database.name,
    async writer(stream) {
      await database.migrate(tables, 'apply')
      return database.writer({ durability, statements, lock: lockOf(stream) })
    },
    async reader(how) {
      await database.migrate(tables, 'check')
      if (how === undefined) return createPostgresReader(database, async () => {})
      const { query, close } = await database.snapshot()
      return createPostgresReader({ query, isLocked: lock => database.isLocked(lock) }, close)
    },
    async retention() {
      await database.migrate(tables, 'check')
      return openPostgresRetention(database)
    },
    exportState,
    async exportPlace(name) {
      await database.migrate(tables, 'check')
      if (await database.isLocked(exportLockOf(name))) return undefined
      const writer = await database.writer({ durability, statements: [KEEP_EXPORT], lock: exportLockOf(name) })
      try {
        const state = await exportState(name)
        return { state, keep: next => writer.append([{ sql: 0, params: [name, next] }]), close: () => writer.close() }
      } catch (error) {
        await writer.close()
        throw error
      }
    },
    close: () => database.close(),
  }
}
