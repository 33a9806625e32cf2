// Reads a log in PostgreSQL page by page, each page behind the last key of the one before, so that memory stays flat and no snapshot is held open.
import type { Postgres, SqlRow, SqlValue } from 'mcpgw/plugin'
import type { CheckpointRow, Hold, LogReader, Page, StoredRecord, SubjectRow, TombstoneRow } from './log-store.ts'
import { lockOf, RECORD, TABLE } from './postgres-tables.ts'

/** A page ends with the record that fills it by number or by bytes. */
const PAGE = 2000
const PAGE_BYTES = 4_194_304

export function createPostgresReader(database: Pick<Postgres, 'query' | 'isLocked'>, close: () => Promise<void>): LogReader {
  const all = (sql: string, ...params: SqlValue[]): Promise<SqlRow[]> => database.query(sql, params)
  const records = async (sql: string, ...params: SqlValue[]): Promise<StoredRecord[]> =>
    (await all(`SELECT ${RECORD} FROM ${TABLE.record} ${sql}`, ...params)).map(toRecord)
  /** Sizes come from the rows as they lie there: no text beyond the page is read. */
  const pageOf = (where: string, order: string, ...params: SqlValue[]): Promise<StoredRecord[]> => {
    const page = `SELECT ${RECORD} FROM ${TABLE.record} WHERE ${where} ORDER BY ${order} LIMIT ${PAGE}`
    const sized = `SELECT *, sum(octet_length(body)) OVER (ORDER BY ${order}) - octet_length(body) AS before FROM (${page}) AS page`
    return all(`SELECT ${RECORD} FROM (${sized}) AS sized WHERE before < ${PAGE_BYTES} ORDER BY ${order}`, ...params).then(rows =>
      rows.map(toRecord),
    )
  }
  const isLast = (page: readonly StoredRecord[]): boolean =>
    page.length < PAGE && page.reduce((sum, { body }) => sum + body.length, 0) < PAGE_BYTES
  const one = async (sql: string, ...params: SqlValue[]): Promise<StoredRecord | undefined> =>
    (await records(`${sql} LIMIT 1`, ...params))[0]

  async function* pagesOf(name: string, from: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[]> {
    for (let last = from - 1; !signal.aborted; ) {
      const page = await pageOf('stream = $1 AND seq > $2', 'seq', name, last)
      if (page.length > 0) yield page
      if (isLast(page)) return
      last = page.at(-1)!.seq
    }
  }

  async function headsOf(): Promise<readonly { readonly stream: string; readonly first: number; readonly seq: number }[]> {
    return (await all(STREAMS)).map(({ name, first, head }) => ({ stream: String(name), first: Number(first), seq: Number(head) }))
  }

  return {
    async *forward(signal, cursor) {
      const past = readCursor(cursor)
      const streams = await headsOf()
      // Without those that have no records any more.
      const read = new Map(streams.flatMap(({ stream }) => (past[stream] === undefined ? [] : [[stream, past[stream]]])))
      // The record that a listed stream continues was there before the list, so it is met before that stream.
      for (const { stream, seq } of streams) {
        if (seq <= (read.get(stream) ?? 0)) continue
        for await (const page of pagesOf(stream, (read.get(stream) ?? 0) + 1, signal)) {
          read.set(stream, page.at(-1)!.seq)
          const cursorBehind = ({ seq }: StoredRecord): string => JSON.stringify({ ...Object.fromEntries(read), [stream]: seq })
          yield { records: page, cursor: cursorBehind(page.at(-1)!), cursorBehind } satisfies Page
        }
      }
    },
    isCursor(text) {
      try {
        const value: unknown = JSON.parse(text)
        return typeof value === 'object' && value !== null && Object.values(value).every(seq => Number.isSafeInteger(seq))
      } catch {
        return false
      }
    },
    async *beyond(known, _place, signal) {
      for (const { stream, seq } of await headsOf()) {
        const from = known.get(stream) ?? 0
        if (seq <= from) continue
        for await (const page of pagesOf(stream, from + 1, signal)) yield { records: page, place: '' }
      }
    },
    async *backward({ since, until }, signal) {
      const order = 'at DESC, stream DESC, seq DESC'
      let page = await pageOf('at >= $1 AND at <= $2', order, since, until)
      while (page.length > 0 && !signal.aborted) {
        yield page
        const { at, stream, seq } = page.at(-1)!
        page = await pageOf('at >= $1 AND (at, stream, seq) < ($2, $3, $4)', order, since, at, stream, seq)
      }
    },
    stream: pagesOf,
    async behind(cursor) {
      const past = readCursor(cursor)
      return (await headsOf()).reduce((sum, { stream, first, seq }) => sum + Math.max(0, seq - Math.max(past[stream] ?? 0, first - 1)), 0)
    },
    isPast: (cursor, { stream, seq }) => seq <= (readCursor(cursor)[stream] ?? 0),
    find: (stream, seq) => one('WHERE stream = $1 AND seq = $2', stream, seq),
    async head(stream) {
      const last = await one('WHERE stream = $1 ORDER BY seq DESC', stream)
      return last && { seq: last.seq, link: Buffer.from(last.hash).toString('hex') }
    },
    last: () => one('ORDER BY at DESC, stream DESC, seq DESC'),
    async openStreams() {
      const rows = await all(OPEN_STREAMS)
      return Promise.all(
        rows.map(async ({ name, ended }) => ({
          name: String(name),
          isLive: await database.isLocked(lockOf(String(name))),
          isEnded: Number(ended) === 1,
        })),
      )
    },
    openCalls: stream => records(OPEN_CALLS, stream),
    async subjects(ids) {
      const of = ids === undefined ? '' : 'WHERE id IN (SELECT jsonb_array_elements_text($1::jsonb))'
      const rows = await all(`SELECT id, lookup, key, who FROM ${TABLE.subject} ${of}`, ...(ids === undefined ? [] : [JSON.stringify(ids)]))
      return rows as unknown as SubjectRow[]
    },
    retired: async () => (await all(`SELECT subject FROM ${TABLE.retired}`)).map(row => String(row.subject)),
    latestCheckpoint: async stream =>
      (await all(`SELECT * FROM ${TABLE.checkpoint} WHERE stream = $1 ORDER BY size DESC LIMIT 1`, stream))[0] as unknown as
        | CheckpointRow
        | undefined,
    async *checkpoints() {
      const sql = `SELECT * FROM ${TABLE.checkpoint} WHERE (at, stream, size) > ($1, $2, $3) ORDER BY at, stream, size LIMIT ${PAGE}`
      let [at, stream, size] = [Number.MIN_SAFE_INTEGER, '', 0]
      for (;;) {
        const page = (await all(sql, at, stream, size)) as unknown as readonly CheckpointRow[]
        if (page.length > 0) yield page
        if (page.length < PAGE) return
        ;({ at, stream, size } = page.at(-1)!)
      }
    },
    tombstones: async () =>
      (await all(`SELECT DISTINCT ON (stream) * FROM ${TABLE.tombstone} ORDER BY stream, through DESC`)) as unknown as TombstoneRow[],
    holds: async () => (await all(`SELECT * FROM ${TABLE.hold} ORDER BY at, id`)) as unknown as Hold[],
    count: async () => Number((await all(`SELECT count(*) AS size FROM ${TABLE.record}`))[0]?.size),
    close,
  }
}

/** Of each stream the last record that was given. */
function readCursor(cursor: string | undefined): Readonly<Record<string, number>> {
  return cursor === undefined ? {} : (JSON.parse(cursor) as Record<string, number>)
}

function toRecord({ seq, at, prev, hash, body, ...texts }: SqlRow): StoredRecord {
  return { ...texts, seq, at, prev, hash, body: Buffer.from(String(body)) } as unknown as StoredRecord
}

// Every stream that has records, also one that the table of streams does not know: by steps through the index, not through the records.
const STREAMS = `
WITH RECURSIVE found AS (
  (SELECT stream FROM ${TABLE.record} ORDER BY stream LIMIT 1)
  UNION ALL
  SELECT (SELECT stream FROM ${TABLE.record} WHERE stream > found.stream ORDER BY stream LIMIT 1) FROM found WHERE found.stream IS NOT NULL
)
SELECT found.stream AS name,
  (SELECT min(seq) FROM ${TABLE.record} WHERE stream = found.stream) AS first,
  (SELECT max(seq) FROM ${TABLE.record} WHERE stream = found.stream) AS head
FROM found LEFT JOIN ${TABLE.stream} ON stream.name = found.stream
WHERE found.stream IS NOT NULL ORDER BY stream.opened NULLS LAST, found.stream`

const OPEN_STREAMS = `
SELECT name, EXISTS (SELECT FROM ${TABLE.stream_end} WHERE stream_end.name = stream.name) AS ended FROM ${TABLE.stream}
WHERE NOT EXISTS (
  SELECT FROM ${TABLE.stream_close} WHERE stream_close.name = stream.name
    AND stream_close.seq >= (SELECT coalesce(max(seq), 0) FROM ${TABLE.record} WHERE record.stream = stream.name)
) ORDER BY opened`

const OPEN_CALLS = `
AS intent WHERE stream = $1 AND type = 'intent' AND NOT EXISTS (
  SELECT FROM ${TABLE.record} AS later WHERE later.stream = $1 AND later.call = intent.call AND later.type <> 'intent'
) ORDER BY seq`
