// Takes records out of a log in PostgreSQL, as a role that may; the triggers let go only what the tombstone covers, which goes in before.
import type { Append, Postgres } from 'mcpgw/plugin'
import { type Retention, tombstoneRow } from './log-store.ts'
import { TABLE } from './postgres-tables.ts'

const LOCK = 'mcpgw_audit retention'
/** Run in this order. */
const STATEMENTS: readonly string[] = [
  `INSERT INTO ${TABLE.tombstone} (stream, through, at, link, frontier, note)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])`,
  `DELETE FROM ${TABLE.record} AS gone USING unnest($1::text[], $2::bigint[]) AS row (stream, through)
    WHERE gone.stream = row.stream AND gone.seq <= row.through`,
  `INSERT INTO ${TABLE.hold} (id, tenant, consumer, reason, at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])`,
  `DELETE FROM ${TABLE.hold} WHERE id = ANY ($1::text[])`,
  `INSERT INTO ${TABLE.retired} (subject) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`,
  `DELETE FROM ${TABLE.subject} WHERE id = ANY ($1::text[])`,
  `DELETE FROM ${TABLE.retired} WHERE subject = ANY ($1::text[])`,
]

/** Rejects where another one is open on this database. */
export async function openPostgresRetention(database: Postgres): Promise<Retention> {
  const writer = await database.writer({ durability: 'full', statements: STATEMENTS, lock: LOCK }).catch((error: Error) => {
    if ((error as { code?: unknown }).code !== '55P03') throw error
    throw new Error(`${database.name}: retention or a hold is at work on this log; try again later`, { cause: error })
  })
  const append = (...rows: Append[]): Promise<void> => writer.append(rows)
  return {
    remove: ({ tombstone }) =>
      append({ sql: 0, params: tombstoneRow(tombstone).params }, { sql: 1, params: [tombstone.stream, tombstone.through] }),
    hold: ({ id, tenant, consumer, reason, at }) => append({ sql: 2, params: [id, tenant, consumer, reason, at] }),
    release: id => append({ sql: 3, params: [id] }),
    retire: subjects => append(...subjects.map(subject => ({ sql: 4, params: [subject] }))),
    forget: subjects => append(...[5, 6].flatMap(sql => subjects.map(subject => ({ sql, params: [subject] })))),
    overwrite: async () =>
      `${database.name}: deleted rows keep their bytes until a vacuum of ${TABLE.subject}, which is for its owner; archived WAL and backups as long as they are kept`,
    close: () => writer.close(),
  }
}
