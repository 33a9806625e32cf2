// The outbox in an SQLite file of the data directory: the embedded default.
import { setImmediate as turn } from 'node:timers/promises'
import type { Database, SqlRow, Statement, Stores } from 'mcpgw/plugin'
import type { Line } from '../line.ts'
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
import type { Outbox } from './outbox.ts'
import { createWorkingSet } from './working-set.ts'

const SCHEMA = 1
const PAGE = 500

const setup = `
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS usage (
  id TEXT PRIMARY KEY, "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, tenant TEXT NOT NULL, server TEXT NOT NULL, target TEXT NOT NULL,
  calls INTEGER NOT NULL, milli_units INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS usage_start ON usage ("start");
CREATE TABLE IF NOT EXISTS line (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, event TEXT NOT NULL, quantity TEXT NOT NULL, "start" INTEGER NOT NULL, "end" INTEGER NOT NULL,
  used INTEGER NOT NULL, wanted INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'idle', kind TEXT NOT NULL DEFAULT 'event', customer TEXT NOT NULL DEFAULT '', revision INTEGER NOT NULL DEFAULT 0,
  identifier TEXT NOT NULL DEFAULT '', value INTEGER NOT NULL DEFAULT 0, unsure INTEGER, tried INTEGER NOT NULL DEFAULT 0,
  next INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', last_identifier TEXT NOT NULL DEFAULT '',
  last_value INTEGER NOT NULL DEFAULT 0, last_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS line_start ON line ("start");
CREATE INDEX IF NOT EXISTS line_started ON line ("end", id) WHERE state <> 'idle';
CREATE INDEX IF NOT EXISTS line_credit ON line ("end", id) WHERE state = 'idle' AND wanted < sent;
CREATE INDEX IF NOT EXISTS line_owed ON line ("end", id) WHERE state = 'idle' AND wanted > sent;
CREATE INDEX IF NOT EXISTS line_customer ON line (customer, event, "start") WHERE customer <> '';
CREATE INDEX IF NOT EXISTS line_last ON line (last_identifier) WHERE last_identifier <> '';
DROP INDEX IF EXISTS line_unsettled;
PRAGMA user_version = ${SCHEMA};`

const SET_ATTEMPT = `UPDATE line SET ${ATTEMPT_COLUMNS.map(name => `${name} = ?`).join(', ')} WHERE id = ?`
const statements = [
  'INSERT INTO note (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  `INSERT INTO usage (${USAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET calls = excluded.calls, milli_units = excluded.milli_units`,
  `INSERT INTO line (id, tenant, event, quantity, "start", "end", used, wanted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET used = excluded.used, wanted = excluded.wanted`,
  SET_ATTEMPT,
]

export function sqliteOutbox(stores: Stores, path: string): Outbox {
  const name = stores.resolve(path)
  return {
    name,
    async lead() {
      const release = takeLead(stores, `${path}-lead`)
      if (release === undefined) return undefined
      try {
        const writer = await stores.writer(path, { durability: 'full', setup, statements, schema: SCHEMA })
        return { commit: changes => writer.append(toAppends(changes)), close: () => writer.close().finally(release) }
      } catch (error) {
        release()
        throw error
      }
    },
    async reader() {
      const db = stores.open(path, { readOnly: true, schema: SCHEMA })
      const each = <Row>(sql: string, ids: readonly string[], read: (row: SqlRow) => Row): Row[] => {
        const statement = db.prepare(sql)
        return ids.flatMap(id => statement.all(id).map(read))
      }
      const statements = new Map<string, Statement>()
      const prepare = (sql: string): Statement => {
        const statement = statements.get(sql) ?? db.prepare(sql)
        statements.set(sql, statement)
        return statement
      }
      /** Between pages calls get their turn. */
      async function inPages(which: string, params: readonly number[]): Promise<Line[]> {
        const found: Line[] = []
        const page = db.prepare(
          `SELECT ${LINE_COLUMNS} FROM line WHERE ${which} AND ("start", id) > (?, ?) ORDER BY "start", id LIMIT ${PAGE}`,
        )
        for (let last: readonly [number, string] = [Number.MIN_SAFE_INTEGER, '']; ; ) {
          const rows = page.all(...params, ...last).map(toLine)
          found.push(...rows)
          const end = rows.at(-1)
          if (end === undefined || rows.length < PAGE) return found
          last = [end.start, end.id]
          await turn()
        }
      }
      return {
        notes: async () => toNotes(db.prepare('SELECT name, value FROM note').all()),
        usage: async ids => each(`SELECT ${USAGE_COLUMNS} FROM usage WHERE id = ?`, ids, toUsage),
        lines: async ids => each(`SELECT ${LINE_COLUMNS} FROM line WHERE id = ?`, ids, toLine),
        ...createWorkingSet({
          line: 'line',
          members: 'SELECT value FROM json_each(?)',
          slice: 2000,
          all: (sql, params) => prepare(sql).all(...params),
        }),
        latest: async since => toLatest(prepare(successSql('line', '?')).get(since), prepare(failureSql('line', '?')).get(since)),
        within: (from, to) => inPages('"start" >= ? AND "start" < ?', [from, to]),
        usageWithin: async (from, to) =>
          db.prepare(`SELECT ${USAGE_COLUMNS} FROM usage WHERE "start" >= ? AND "start" < ?`).all(from, to).map(toUsage),
        close: async () => db.close(),
      }
    },
    async settle(before, { sent, attempt }) {
      // Only where there is an outbox: opening it to write would make one.
      stores.open(path, { readOnly: true, schema: SCHEMA }).close()
      const db = stores.open(path, { schema: SCHEMA })
      try {
        const params = [
          ...attemptValues(sent, attempt),
          before.id,
          before.attempt.state,
          before.attempt.revision,
          before.sent,
          before.wanted,
        ]
        return db.prepare(`${SET_ATTEMPT} AND state = ? AND revision = ? AND sent = ? AND wanted = ?`).run(...params).changes === 1
      } finally {
        db.close()
      }
    },
    async close() {},
  }
}

/** Held by an open transaction, which the operating system ends with the process. */
function takeLead(stores: Stores, path: string): (() => void) | undefined {
  const db: Database = stores.open(path, { durability: 'os' })
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')
    return () => db.close()
  } catch {
    db.close()
    return undefined
  }
}
