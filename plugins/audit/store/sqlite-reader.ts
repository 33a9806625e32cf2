// Reads a log file page by page, so that memory stays flat and the gateway that writes it is not held up.
import type { Database, SqlRow, SqlValue } from 'mcpgw/plugin'
import type { CheckpointRow, Hold, LogReader, Page, StoredRecord, SubjectRow, TombstoneRow } from './log-store.ts'
import { RECORD } from './sqlite-tables.ts'

// Small: rows that outlive a collection of young objects are memory for long.
const PAGE = 250

// Two questions, each of them answered by the index; asked as one, all records are looked through.
const ENDS = 'SELECT (SELECT min(n) FROM record) AS first, (SELECT max(n) FROM record) AS last'

/** `tables`: those that the file has; one of version 1 lacks some. */
export function createSqliteReader(db: Database, tables: ReadonlySet<string>, isLive: (stream: string) => boolean): LogReader {
  // Some are asked again with each batch of an export.
  const prepared = new Map<string, ReturnType<Database['prepare']>>()
  const prepare = (sql: string): ReturnType<Database['prepare']> => {
    const statement = prepared.get(sql) ?? db.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
  const all = (table: string, sql: string, ...params: SqlValue[]): SqlRow[] => (tables.has(table) ? prepare(sql).all(...params) : [])
  const one = (sql: string, ...params: SqlValue[]): StoredRecord | undefined =>
    db.prepare(`SELECT ${RECORD} FROM record ${sql}`).get(...params) as StoredRecord | undefined
  /** None of its records is before. */
  const startOf = (stream: string): number => Number(all('stream', 'SELECT start FROM stream WHERE name = ?', stream)[0]?.start ?? 0)

  function after(n: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]> {
    const page = db.prepare(`SELECT ${RECORD} FROM record WHERE n > ? ORDER BY n LIMIT ${PAGE}`)
    return pages(from => page.all(from), n, signal)
  }

  return {
    async *forward(signal, cursor) {
      for await (const records of after(cursor === undefined ? Number.MIN_SAFE_INTEGER : Number(cursor), signal))
        yield { records, cursor: String(records.at(-1)!.n), cursorBehind: ({ n }) => String(n) } satisfies Page
    },
    isCursor: text => /^-?\d{1,16}$/.test(text),
    async *beyond(_known, place, signal) {
      const [n = '', hash] = place?.split(' ') ?? []
      const found = place === undefined ? undefined : one('WHERE n = ?', Number(n))
      const isOfThisLog = found !== undefined && Buffer.from(found.hash).toString('hex') === hash
      for await (const records of after(isOfThisLog ? Number(n) : Number.MIN_SAFE_INTEGER, signal)) {
        const last = records.at(-1)!
        yield { records, place: `${last.n} ${Buffer.from(last.hash).toString('hex')}` }
      }
    },
    backward({ since, until }, signal) {
      const page = db.prepare(`SELECT ${RECORD} FROM record WHERE n < ? AND at >= ? AND at <= ? ORDER BY n DESC LIMIT ${PAGE}`)
      return pages(n => page.all(n, since, until), Number.MAX_SAFE_INTEGER, signal)
    },
    stream(name, from, signal) {
      const page = db.prepare(`SELECT ${RECORD} FROM record WHERE n > ? AND n >= ? AND stream = ? AND seq >= ? ORDER BY n LIMIT ${PAGE}`)
      const start = startOf(name)
      return pages(n => page.all(n, start, name, from), Number.MIN_SAFE_INTEGER, signal)
    },
    async behind(cursor) {
      const { first, last } = prepare(ENDS).get() ?? {}
      if (first === null || last === null) return 0
      return Math.max(0, Number(last) - Math.max(Number(first) - 1, Number(cursor ?? Number.MIN_SAFE_INTEGER)))
    },
    isPast: (cursor, { n }) => n! <= Number(cursor),
    find: async (stream, seq, n) => (n === undefined ? one('WHERE stream = ? AND seq = ?', stream, seq) : one('WHERE n = ?', n)),
    async head(stream) {
      const row = one('WHERE stream = ? ORDER BY n DESC LIMIT 1', stream)
      return row && { seq: row.seq, link: Buffer.from(row.hash).toString('hex') }
    },
    last: async () => one('ORDER BY n DESC LIMIT 1'),
    async openStreams() {
      const rows = all('stream', 'SELECT name, open FROM stream WHERE open > 0 ORDER BY start')
      return rows.map(({ name, open }) => ({ name: String(name), isLive: isLive(String(name)), isEnded: Number(open) === 2 }))
    },
    async openCalls(stream) {
      const start = startOf(stream)
      const calls = new Map<string, number>()
      const page = db.prepare('SELECT n, type, call FROM record WHERE n > ? AND stream = ? ORDER BY n LIMIT 2000')
      for await (const rows of pages(n => page.all(n, stream), start - 1, new AbortController().signal))
        for (const { n, type, call } of rows) {
          if (type === 'intent') calls.set(call, n!)
          else if (call !== '') calls.delete(call)
        }
      return [...calls.values()].map(n => one('WHERE n = ?', n)!)
    },
    async subjects(ids) {
      const rows =
        ids === undefined
          ? all('subject', 'SELECT * FROM subject')
          : all('subject', 'SELECT * FROM subject WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify(ids))
      return rows as unknown as SubjectRow[]
    },
    retired: async () => all('retired', 'SELECT subject FROM retired').map(row => String(row.subject)),
    latestCheckpoint: async stream =>
      all('checkpoint', 'SELECT * FROM checkpoint WHERE stream = ? ORDER BY size DESC LIMIT 1', stream)[0] as unknown as
        | CheckpointRow
        | undefined,
    async *checkpoints() {
      const sql = `SELECT * FROM checkpoint WHERE (at, stream, size) > (?, ?, ?) ORDER BY at, stream, size LIMIT ${PAGE}`
      let [at, stream, size] = [Number.MIN_SAFE_INTEGER, '', 0]
      for (;;) {
        const page = all('checkpoint', sql, at, stream, size) as unknown as readonly CheckpointRow[]
        if (page.length > 0) yield page
        if (page.length < PAGE) return
        ;({ at, stream, size } = page.at(-1)!)
      }
    },
    async tombstones() {
      const sql =
        'SELECT * FROM tombstone WHERE through = (SELECT max(through) FROM tombstone AS other WHERE other.stream = tombstone.stream)'
      return all('tombstone', sql) as unknown as TombstoneRow[]
    },
    holds: async () => all('hold', 'SELECT * FROM hold ORDER BY at, id') as unknown as Hold[],
    count: async () => Number(db.prepare('SELECT count(*) AS size FROM record').get()?.size),
    async close() {
      db.close()
    },
  }
}

async function* pages(next: (n: number) => SqlRow[], from: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[]> {
  let last = from
  while (!signal.aborted) {
    const rows = next(last) as unknown as readonly StoredRecord[]
    if (rows.length === 0) return
    yield rows
    last = rows.at(-1)!.n!
    await new Promise(resolve => setImmediate(resolve))
  }
}
