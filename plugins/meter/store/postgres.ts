// Usage in a PostgreSQL database, where several gateways count at once: each step is one statement, and so one transaction.
import type { Postgres, SqlRow, SqlValue } from 'mcpgw/plugin'
import { readCursor, UNSEEN_SQL, writeCursor } from './changes.ts'
import {
  addSql,
  callsSql,
  countColumns,
  groupSql,
  isPartSql,
  keyColumns,
  sourceSql,
  spanCode,
  sumsSql,
  toColumns,
  toSums,
  toUsageRow,
  toVersionColumns,
  versionKeyColumns,
} from './columns.ts'
import { tables } from './migrations.ts'
import type { Lost, UsagePage, UsageStore } from './usage-store.ts'

const SCHEMA = tables.schema
const PAGE = 2000
const TABLES = { usage: `${SCHEMA}.usage`, versions: `${SCHEMA}.usage_version` }

/** Rejects where the tables are missing and cannot be made, or not read. */
export async function postgresUsage(database: Postgres, how: 'read' | 'write'): Promise<UsageStore> {
  const all = (sql: string, ...params: SqlValue[]): Promise<SqlRow[]> => database.query(sql, params)
  await database.migrate(tables, how === 'read' ? 'check' : 'apply').catch(async (error: unknown) => {
    await database.close()
    throw error
  })
  const readState = async (): Promise<SqlRow | undefined> => (await all(`SELECT change, place FROM ${SCHEMA}.state`))[0]

  return {
    name: database.name,
    isShared: true,
    async counted() {
      const cursors = await all(`SELECT stream, seq, at FROM ${SCHEMA}.cursor`)
      return {
        through: new Map(cursors.map(({ stream, seq }) => [String(stream), Number(seq)])),
        latest: new Map(cursors.map(({ stream, at }) => [String(stream), Number(at)])),
        place: ((await readState())?.place as string | null) ?? undefined,
        lost: (await all(`SELECT stream, first, last FROM ${SCHEMA}.lost ORDER BY stream, first`)) as unknown as Lost[],
      }
    },
    async add({ stream, after, through, at, rows, versions, lost }) {
      const given = toRecords(COLUMNS, rows.map(toColumns))
      const parts = toRecords(VERSION_COLUMNS, versions.map(toVersionColumns))
      const [done] = await all(ADD, stream, after, through, at, given, lost?.first ?? null, lost?.last ?? null, parts)
      return Number(done?.moved) === 1
    },
    async keepPlace(place) {
      await all(`UPDATE ${SCHEMA}.state SET place = $1`, place)
    },
    async sum({ span, from, to, tenant, by }) {
      const { names, group } = groupSql(by)
      const where = `span = ${spanCode[span]} AND start >= $1 AND start < $2${tenant === undefined ? '' : ' AND tenant = $3'}`
      const rows = await all(
        `SELECT ${names}${sumsSql} FROM ${sourceSql(by, TABLES)} WHERE ${where} ${group}`,
        from,
        to,
        ...(tenant === undefined ? [] : [tenant]),
      )
      return toSums(rows, by)
    },
    async *changes(cursor, endedBy, signal) {
      const { change, endedBy: before, look: begun } = readCursor(cursor)
      const { row, ...look } = begun ?? { change: Number((await readState())?.change), endedBy, row: 0 }
      for (let last = row; !signal.aborted; ) {
        const rows = await all(CHANGES, change, before, look.change, look.endedBy, last)
        const isThrough = rows.length < PAGE
        last = Number(rows.at(-1)?.id ?? last)
        const next = isThrough ? look : { change, endedBy: before, look: { ...look, row: last } }
        yield { rows: rows.map(toUsageRow), cursor: writeCursor(next) } satisfies UsagePage
        if (isThrough) return
      }
    },
    async forget(endedBy, consumers) {
      let count = 1
      const unseen = (): string => UNSEEN_SQL.replaceAll('?', () => `$${++count}`)
      const cursors = [...consumers.values()]
      const isUnseen = cursors.map(() => ` AND NOT (${unseen()})`).join('')
      await all(
        `WITH gone AS (DELETE FROM ${SCHEMA}.usage WHERE finish <= $1${isUnseen} RETURNING ${keyColumns.join(', ')})
          DELETE FROM ${SCHEMA}.usage_version AS part USING gone WHERE ${isPartSql('part', 'gone')}`,
        endedBy,
        ...cursors.flatMap(one => [one.change, one.endedBy]),
      )
      const held = new Map<string, number>()
      for (const [name, { change, endedBy: by }] of consumers) {
        count = 1
        const [left] = await all(`SELECT count(*) AS size FROM ${SCHEMA}.usage WHERE finish <= $1 AND ${unseen()}`, endedBy, change, by)
        if (Number(left?.size) > 0) held.set(name, Number(left?.size))
      }
      return held
    },
    close: () => database.close(),
  }
}

const COLUMNS: readonly string[] = [...keyColumns, ...countColumns]
const VERSION_COLUMNS: readonly string[] = [...versionKeyColumns, ...countColumns]
// As text: a number of JSON is not exact everywhere.
const toJson = (value: SqlValue): SqlValue => (typeof value === 'bigint' ? String(value) : value)
const toRecords = (columns: readonly string[], rows: readonly (readonly SqlValue[])[]): string =>
  JSON.stringify(rows.map(row => Object.fromEntries(row.map((value, i) => [columns[i], toJson(value)]))))

// Who comes second waits for the first one's row of `cursor`, and then finds it moved. The row of `state` is locked before any of `usage`.
const ADD = `
WITH moved AS (
  INSERT INTO ${SCHEMA}.cursor (stream, seq, at)
  SELECT $1::text, $3::bigint, $4::bigint WHERE $2::bigint = 0 OR EXISTS (SELECT FROM ${SCHEMA}.cursor WHERE stream = $1::text)
  ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, at = greatest(cursor.at, excluded.at) WHERE cursor.seq = $2::bigint
  RETURNING 1
), gap AS (
  INSERT INTO ${SCHEMA}.lost (stream, first, last)
  SELECT $1::text, $6::bigint, $7::bigint WHERE $6::bigint IS NOT NULL AND EXISTS (SELECT FROM moved)
  ON CONFLICT DO NOTHING
), numbered AS (
  UPDATE ${SCHEMA}.state SET change = change + 1 WHERE jsonb_array_length($5::jsonb) > 0 AND EXISTS (SELECT FROM moved) RETURNING change
), added AS (
  INSERT INTO ${SCHEMA}.usage AS usage (${COLUMNS.join(', ')}, changed)
  SELECT ${COLUMNS.map(name => `row.${name}`).join(', ')}, numbered.change
  FROM numbered, jsonb_populate_recordset(NULL::${SCHEMA}.usage, $5::jsonb) AS row
  ON CONFLICT (${keyColumns.join(', ')}) DO UPDATE SET ${addSql}, changed = excluded.changed
), split AS (
  INSERT INTO ${SCHEMA}.usage_version AS usage (${VERSION_COLUMNS.join(', ')})
  SELECT ${VERSION_COLUMNS.map(name => `row.${name}`).join(', ')} FROM numbered, jsonb_populate_recordset(NULL::${SCHEMA}.usage_version, $8::jsonb) AS row
  ON CONFLICT (${versionKeyColumns.join(', ')}) DO UPDATE SET ${addSql}
)
SELECT count(*) AS moved FROM moved`

const CHANGES = `
SELECT id, ${keyColumns.join(', ')}, ${callsSql} AS calls, milli_units FROM ${SCHEMA}.usage
WHERE span = 0 AND (changed > $1 OR finish > $2) AND changed <= $3 AND finish <= $4 AND id > $5 ORDER BY id LIMIT ${PAGE}`
