// Usage in an SQLite file of the data directory: the embedded default.
import type { Database, Statement, Stores } from 'mcpgw/plugin'
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
import { SCHEMA, setup, WITH_VERSIONS } from './sqlite-tables.ts'
import type { Dimension, Lost, Step, UsagePage, UsageStore } from './usage-store.ts'

const PAGE = 500
const BUSY_MS = 50
const FORGET_VERSIONS = `DELETE FROM usage_version AS part WHERE finish <= ? AND NOT EXISTS (SELECT 1 FROM usage WHERE ${isPartSql('part', 'usage')})`
const TABLES = { usage: 'usage', versions: 'usage_version' }

/** Throws where there is none to read, or it cannot be opened. What a failure of the machine takes from it is counted anew from the log. */
export function sqliteUsage(stores: Stores, path: string, how: 'read' | 'write'): UsageStore {
  const db = stores.open(path, { readOnly: how === 'read', durability: 'os', schema: SCHEMA })
  try {
    // Calls wait while this waits: who finds the file locked tries again later.
    if (how === 'write') db.exec(`${setup} PRAGMA busy_timeout = ${BUSY_MS};`)
    else db.prepare('SELECT change FROM state').get()
    return createStore(db)
  } catch (error) {
    db.close()
    throw new Error(`${db.path}: is no store of usage: ${(error as Error).message}`, { cause: error })
  }
}

function createStore(db: Database): UsageStore {
  const statements = new Map<string, Statement>()
  const prepare = (sql: string): Statement => {
    let found = statements.get(sql)
    if (found === undefined) {
      found = db.prepare(sql)
      statements.set(sql, found)
    }
    return found
  }
  /** Where nobody has written to the file since an older gateway did, it knows no versions. */
  const source = (by: readonly Dimension[]): string =>
    by.includes('version') && Number(prepare('PRAGMA user_version').get()?.user_version) < WITH_VERSIONS
      ? "(SELECT *, '' AS version FROM usage) AS usage"
      : sourceSql(by, TABLES)

  return {
    name: db.path,
    isShared: false,
    async counted() {
      const cursors = prepare('SELECT stream, seq, at FROM cursor').all()
      return {
        through: new Map(cursors.map(({ stream, seq }) => [String(stream), Number(seq)])),
        latest: new Map(cursors.map(({ stream, at }) => [String(stream), Number(at)])),
        place: (prepare('SELECT place FROM state').get()?.place as string | null) ?? undefined,
        lost: prepare('SELECT stream, first, last FROM lost ORDER BY stream, first').all() as unknown as Lost[],
      }
    },
    add: async step => db.transaction(() => addStep(prepare, step)),
    async keepPlace(place) {
      prepare('UPDATE state SET place = ?').run(place)
    },
    async sum({ span, from, to, tenant, by }) {
      const { names, group } = groupSql(by)
      const where = `span = ${spanCode[span]} AND start >= ? AND start < ?${tenant === undefined ? '' : ' AND tenant = ?'}`
      const rows = prepare(`SELECT ${names}${sumsSql} FROM ${source(by)} WHERE ${where} ${group}`).all(
        from,
        to,
        ...(tenant === undefined ? [] : [tenant]),
      )
      return toSums(rows, by)
    },
    async *changes(cursor, endedBy, signal) {
      const { change, endedBy: before, look: begun } = readCursor(cursor)
      const now = Number(prepare('SELECT change FROM state').get()?.change)
      const { row, ...look } = begun ?? { change: now, endedBy, row: 0 }
      const page = prepare(
        `SELECT id, ${keyColumns.join(', ')}, ${callsSql} AS calls, milli_units FROM usage
          WHERE span = 0 AND (changed > ? OR finish > ?) AND changed <= ? AND finish <= ? AND id > ? ORDER BY id LIMIT ${PAGE}`,
      )
      for (let last = row; !signal.aborted; ) {
        const rows = page.all(change, before, look.change, look.endedBy, last)
        const isThrough = rows.length < PAGE
        last = Number(rows.at(-1)?.id ?? last)
        const next = isThrough ? look : { change, endedBy: before, look: { ...look, row: last } }
        yield { rows: rows.map(toUsageRow), cursor: writeCursor(next) } satisfies UsagePage
        if (isThrough) return
        await new Promise(resolve => setImmediate(resolve))
      }
    },
    async forget(endedBy, consumers) {
      const cursors = [...consumers.values()]
      const held = new Map<string, number>()
      db.transaction(() => {
        const isUnseen = cursors.map(() => ` AND NOT (${UNSEEN_SQL})`).join('')
        const seen = cursors.flatMap(({ change, endedBy: by }) => [change, by])
        prepare(`DELETE FROM usage WHERE finish <= ?${isUnseen}`).run(endedBy, ...seen)
        prepare(FORGET_VERSIONS).run(endedBy)
        for (const [name, { change, endedBy: by }] of consumers) {
          const rows = Number(
            prepare(`SELECT count(*) AS size FROM usage WHERE finish <= ? AND ${UNSEEN_SQL}`).get(endedBy, change, by)?.size,
          )
          if (rows > 0) held.set(name, rows)
        }
      })
      return held
    },
    async close() {
      db.close()
    },
  }
}

function addStep(prepare: (sql: string) => Statement, { stream, after, through, at, rows, versions, lost }: Step): boolean {
  const known = prepare('SELECT seq FROM cursor WHERE stream = ?').get(stream)
  if (Number(known?.seq ?? 0) !== after) return false
  prepare(
    'INSERT INTO cursor (stream, seq, at) VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, at = max(at, excluded.at)',
  ).run(stream, through, at)
  if (lost !== undefined)
    prepare('INSERT OR IGNORE INTO lost (stream, first, last) VALUES (?, ?, ?)').run(lost.stream, lost.first, lost.last)
  if (rows.length === 0) return true
  const change = Number(prepare('UPDATE state SET change = change + 1 RETURNING change').get()?.change)
  const columns = [...keyColumns, ...countColumns]
  const upsert = prepare(
    `INSERT INTO usage (${columns.join(', ')}, changed) VALUES (${columns.map(() => '?').join(', ')}, ?)
      ON CONFLICT (${keyColumns.join(', ')}) DO UPDATE SET ${addSql}, changed = excluded.changed`,
  )
  for (const row of rows) upsert.run(...toColumns(row), change)
  const split = [...versionKeyColumns, ...countColumns]
  const upsertVersion = prepare(
    `INSERT INTO usage_version AS usage (${split.join(', ')}) VALUES (${split.map(() => '?').join(', ')})
      ON CONFLICT (${versionKeyColumns.join(', ')}) DO UPDATE SET ${addSql}`,
  )
  for (const row of versions) upsertVersion.run(...toVersionColumns(row))
  return true
}
