// The outbox in a PostgreSQL database, which several gateways share: one of them sends, as long as its session holds the lock.
import type { Postgres } from 'mcpgw/plugin'
import {
  ATTEMPT_COLUMNS,
  attemptValues,
  failureSql,
  LINE_COLUMNS,
  successSql,
  toAppends,
  toLatest,
  toLine,
  toNotes,
  toUsage,
  USAGE_COLUMNS,
} from './columns.ts'
import { tables } from './migrations.ts'
import type { Outbox } from './outbox.ts'
import { createWorkingSet } from './working-set.ts'

const SCHEMA = tables.schema
export const LOCK = 'mcpgw_stripe outbox'

const TYPES: Readonly<Record<string, string>> = {
  state: 'text',
  kind: 'text',
  customer: 'text',
  identifier: 'text',
  error: 'text',
  last_identifier: 'text',
}
const typeOf = (column: string): string => TYPES[column] ?? 'bigint'

const statements = [
  `INSERT INTO ${SCHEMA}.note (name, value) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  `INSERT INTO ${SCHEMA}.usage (${USAGE_COLUMNS})
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
    ON CONFLICT (id) DO UPDATE SET calls = excluded.calls, milli_units = excluded.milli_units`,
  `INSERT INTO ${SCHEMA}.line (id, tenant, event, quantity, "start", "end", used, wanted)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    ON CONFLICT (id) DO UPDATE SET used = excluded.used, wanted = excluded.wanted`,
  `UPDATE ${SCHEMA}.line SET ${ATTEMPT_COLUMNS.map(name => `${name} = row.${name}`).join(', ')}
    FROM unnest(${[...ATTEMPT_COLUMNS.map(typeOf), 'text'].map((type, at) => `$${at + 1}::${type}[]`).join(', ')})
      AS row (${[...ATTEMPT_COLUMNS, 'id'].join(', ')})
    WHERE line.id = row.id`,
]

/** `?` as PostgreSQL writes parameters. */
function numbered(sql: string): string {
  let count = 0
  return sql.replaceAll('?', () => `$${++count}`)
}

export function postgresOutbox(database: Postgres): Outbox {
  const line = `SELECT ${LINE_COLUMNS} FROM ${SCHEMA}.line`
  const usage = `SELECT ${USAGE_COLUMNS} FROM ${SCHEMA}.usage`
  const span = 'WHERE "start" >= $1 AND "start" < $2'
  return {
    name: database.name,
    async lead() {
      await database.migrate(tables, 'apply')
      if (await database.isLocked(LOCK)) return undefined
      const writer = await database.writer({ durability: 'full', statements, lock: LOCK })
      return { commit: changes => writer.append(toAppends(changes)), close: () => writer.close() }
    },
    async reader() {
      await database.migrate(tables, 'check')
      return {
        notes: async () => toNotes(await database.query(`SELECT name, value FROM ${SCHEMA}.note`)),
        usage: async ids => (await database.query(`${usage} WHERE id = ANY($1::text[])`, [ids])).map(toUsage),
        lines: async ids => (await database.query(`${line} WHERE id = ANY($1::text[])`, [ids])).map(toLine),
        ...createWorkingSet({
          line: `${SCHEMA}.line`,
          members: 'SELECT jsonb_array_elements_text(?::jsonb)',
          all: (sql, params) => database.query(numbered(sql), params),
        }),
        async latest(since) {
          const [success] = await database.query(successSql(`${SCHEMA}.line`, '$1'), [since])
          const [failure] = await database.query(failureSql(`${SCHEMA}.line`, '$1'), [since])
          return toLatest(success, failure)
        },
        within: async (from, to) => (await database.query(`${line} ${span} ORDER BY "start", id`, [from, to])).map(toLine),
        usageWithin: async (from, to) => (await database.query(`${usage} ${span}`, [from, to])).map(toUsage),
        async close() {},
      }
    },
    async settle(before, { sent, attempt }) {
      const set = ATTEMPT_COLUMNS.map((name, at) => `${name} = $${at + 1}::${typeOf(name)}`).join(', ')
      const at = ATTEMPT_COLUMNS.length
      const rows = await database.query(
        `UPDATE ${SCHEMA}.line SET ${set}
          WHERE id = $${at + 1} AND state = $${at + 2} AND revision = $${at + 3} AND sent = $${at + 4} AND wanted = $${at + 5} RETURNING id`,
        [...attemptValues(sent, attempt), before.id, before.attempt.state, before.attempt.revision, before.sent, before.wanted],
      )
      return rows.length === 1
    },
    close: () => database.close(),
  }
}
