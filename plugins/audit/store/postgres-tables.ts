// The tables of a log in PostgreSQL, and the only statements that write to them.
import { tables } from './migrations.ts'

const SCHEMA = tables.schema

/** In the order of ROWS. Only inserts: the role that writes needs no more. The same row again is one whose first attempt had an unknown fate. */
export const statements: readonly string[] = [
  `INSERT INTO ${SCHEMA}.record (stream, seq, at, type, call, prev, hash, body)
    SELECT stream, seq, at, type, call, decode(prev, 'hex'), decode(hash, 'hex'), body
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
      AS row (stream, seq, at, type, call, prev, hash, body)`,
  `INSERT INTO ${SCHEMA}.stream (name) SELECT unnest($1::text[])`,
  `INSERT INTO ${SCHEMA}.stream_end (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`,
  // A stream that goes on after all, for only its connection had ended, is open again.
  `INSERT INTO ${SCHEMA}.stream_close (name, seq)
    SELECT name, (SELECT coalesce(max(seq), 0) FROM ${SCHEMA}.record WHERE stream = name) FROM unnest($1::text[]) AS row (name)
    ON CONFLICT DO NOTHING`,
  `INSERT INTO ${SCHEMA}.subject (id, lookup, key, who)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`,
  `INSERT INTO ${SCHEMA}.checkpoint (stream, size, at, frontier, note)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
  `INSERT INTO ${SCHEMA}.tombstone (stream, through, at, link, frontier, note)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[]) ON CONFLICT DO NOTHING`,
]

/** Text that every UTF8 database gives back byte for byte. */
export const RECORD: string = `stream, seq, at, type, call, prev, hash, body`
export const TABLE: {
  readonly [name in
    | 'record'
    | 'stream'
    | 'stream_end'
    | 'stream_close'
    | 'subject'
    | 'checkpoint'
    | 'tombstone'
    | 'hold'
    | 'retired']: string
} = {
  record: `${SCHEMA}.record`,
  stream: `${SCHEMA}.stream`,
  stream_end: `${SCHEMA}.stream_end`,
  stream_close: `${SCHEMA}.stream_close`,
  subject: `${SCHEMA}.subject`,
  checkpoint: `${SCHEMA}.checkpoint`,
  tombstone: `${SCHEMA}.tombstone`,
  hold: `${SCHEMA}.hold`,
  retired: `${SCHEMA}.retired`,
}

/** How far continuous exports have come: the only rows that are changed. */
export const KEEP_EXPORT: string = `INSERT INTO ${SCHEMA}.export_place (name, state) SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (name) DO UPDATE SET state = excluded.state`
export const READ_EXPORT: string = `SELECT state FROM ${SCHEMA}.export_place WHERE name = $1`
export const exportLockOf = (name: string): string => `mcpgw_audit export ${name}`

/** What the writer of a stream holds as long as it lives. */
export const lockOf = (stream: string): string => `mcpgw_audit stream ${stream}`
