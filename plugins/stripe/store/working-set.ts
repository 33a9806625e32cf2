// What is asked of the lines that are not done with, however many there are: by indexes of these alone, and in slices, between which calls get their turn.
import { setImmediate as turn } from 'node:timers/promises'
import type { SqlRow, SqlValue } from 'mcpgw/plugin'
import { type Line, timestampOf } from '../line.ts'
import { expiredBy, REPEATABLE_MS, type Standing, SUMMED_MS, standings, type Terms, TRY_AGAIN_MS } from '../standing.ts'
import { LINE_COLUMNS, toLine } from './columns.ts'
import type { Listing, Place, Search, Tally, WorkingSet } from './outbox.ts'

/** How one database is asked. Parameters are written `?`. */
export interface Dialect {
  /** The table. */
  readonly line: string
  /** The members of a parameter that is an array in JSON. */
  readonly members: string
  /** Lines that one statement looks at; without it all, where a statement holds up nobody. */
  readonly slice?: number
  all(sql: string, params: readonly SqlValue[]): Promise<readonly SqlRow[]> | readonly SqlRow[]
}

/** Each has an index of its own, by `end` and `id`. Together they are all that is not done with; those of windows before `since` are left out of `owed`. */
const PARTS = { started: `state <> 'idle'`, credit: `state = 'idle' AND wanted < sent`, owed: `state = 'idle' AND wanted > sent` }
type Part = keyof typeof PARTS

/** Slices that one search looks through: the next one goes on from there. */
const MOST_SLICES = 25
/** Behind every id, which is in hexadecimal. */
const LAST_ID = 'z'
const IS_REPEATABLE = 'unsure > 0 AND tried <= ? AND unsure > ?'
const DAY_MS = 24 * 3_600_000

export function createWorkingSet(dialect: Dialect): WorkingSet {
  const { line, slice } = dialect
  const all = async (sql: string, params: readonly SqlValue[]): Promise<readonly SqlRow[]> => dialect.all(sql, params)
  /** As `standingOf`, of a line that is one of PARTS. */
  const standingSql = `CASE WHEN state <> 'idle' THEN state WHEN wanted < sent THEN 'credit' WHEN wanted = sent THEN 'billed'
    WHEN "end" <= ? THEN 'before' WHEN "end" <= ? THEN 'expired'
    WHEN quantity || ' ' || event NOT IN (${dialect.members}) OR ((sent = 0 OR customer = '') AND tenant NOT IN (${dialect.members})) THEN 'held'
    WHEN next = 0 THEN 'waiting' ELSE 'refused' END`

  function standingParams({ since, now, config }: Terms): SqlValue[] {
    const meters = config.meters.map(({ event, of }) => `${of} ${event}`)
    return [since, expiredBy(now), JSON.stringify(meters), JSON.stringify(Object.keys(config.customers))]
  }

  /** The end of the slice that begins behind `from`; undefined: there are fewer lines. */
  async function endOfSlice(part: Part, from: Place): Promise<Place | undefined> {
    if (slice === undefined) return undefined
    const sql = `SELECT "end", id FROM ${line} WHERE ${PARTS[part]} AND ("end", id) > (?, ?) ORDER BY "end", id LIMIT 1 OFFSET ${slice - 1}`
    const [row] = await all(sql, [from.end, from.id])
    return row && { end: Number(row.end), id: String(row.id) }
  }

  const slicePart = (part: Part): string => `${PARTS[part]} AND ("end", id) > (?, ?) AND ("end", id) <= (?, ?)`
  const sliceParams = (from: Place, to: Place | undefined): SqlValue[] => [
    from.end,
    from.id,
    to?.end ?? Number.MAX_SAFE_INTEGER,
    to?.id ?? LAST_ID,
  ]

  /** Lines of a part for which `where` holds, from behind `from` on. */
  async function search(part: Part, from: Place, { where, params, most }: { where: string; params: readonly SqlValue[]; most: number }) {
    const lines: Line[] = []
    let at: Place | undefined = from
    for (let i = 0; i < MOST_SLICES && at !== undefined && lines.length < most; i++) {
      const to: Place | undefined = await endOfSlice(part, at)
      const rows = await all(`SELECT ${LINE_COLUMNS} FROM ${line} WHERE ${slicePart(part)} AND ${where} ORDER BY "end", id LIMIT ?`, [
        ...sliceParams(at, to),
        ...params,
        most - lines.length,
      ])
      const found = rows.map(toLine)
      lines.push(...found)
      at = lines.length >= most ? found.at(-1) : to
      await turn()
    }
    return { lines, next: at && { end: at.end, id: at.id } } satisfies Search
  }

  return {
    async tally(terms, signal, isWhole = false) {
      const [lines, due] = [zeros(), zeros()]
      let oldest = terms.now
      const count = async (which: string, params: readonly SqlValue[]): Promise<void> => {
        const rows = await all(
          `SELECT standing, count(*) AS lines, sum(CAST(owed AS double precision)) AS due, min("end") AS oldest
            FROM (SELECT ${standingSql} AS standing, wanted - sent AS owed, "end" FROM ${line} WHERE ${which}) AS slice GROUP BY standing`,
          [...standingParams(terms), ...params],
        )
        for (const row of rows) {
          const standing = row.standing as Standing
          lines[standing] += Number(row.lines)
          due[standing] += Number(row.due)
          if (standing === 'waiting' || standing === 'open' || standing === 'refused') oldest = Math.min(oldest, Number(row.oldest))
        }
      }
      const since = isWhole ? START.end : terms.since
      if (slice === undefined) await count(`(${PARTS.started}) OR (${PARTS.credit}) OR (${PARTS.owed} AND "end" > ?)`, [since])
      else
        for (const part of Object.keys(PARTS) as Part[]) {
          let at: Place | undefined = part === 'owed' ? { end: since, id: LAST_ID } : START
          while (at !== undefined && !signal?.aborted) {
            const to: Place | undefined = await endOfSlice(part, at)
            await count(slicePart(part), sliceParams(at, to))
            at = to
            await turn()
          }
        }
      return { lines, due, age: terms.now - oldest } satisfies Tally
    },
    async due(part, from, terms, most) {
      const { now, since } = terms
      const isTime = '(next <= ? OR next > ?)'
      const time = [now, now + TRY_AGAIN_MS]
      if (part === 'started')
        return search(part, from ?? START, {
          where: `state = 'open' AND ${isTime} AND ${IS_REPEATABLE}`,
          params: [...time, now, now - REPEATABLE_MS],
          most,
        })
      if (part === 'credit')
        return search(part, from ?? START, {
          where: `${isTime} AND last_identifier <> '' AND last_at <= ? AND last_at > ?`,
          params: [...time, now, now - REPEATABLE_MS],
          most,
        })
      // What is too old comes before all else, and is passed over by the index.
      const start = { end: Math.max(since, expiredBy(now)), id: LAST_ID }
      const where = `${isTime} AND ${standingSql} IN ('waiting', 'refused')`
      const params = [...time, ...standingParams(terms)]
      return search(part, from !== undefined && from.end > start.end ? from : start, { where, params, most })
    },
    stale: (from, now, most) =>
      search('started', from ?? START, {
        where: `state = 'open' AND NOT coalesce(${IS_REPEATABLE}, FALSE) AND (tried > ? OR tried <= ?)`,
        params: [now, now - REPEATABLE_MS, now, now - SUMMED_MS],
        most,
      }),
    open: (from, most) => search('started', from ?? START, { where: `state = 'open'`, params: [], most }),
    async beside({ event, start, end, attempt }) {
      const rows = await all(
        `SELECT ${LINE_COLUMNS} FROM ${line} WHERE customer <> '' AND customer = ? AND event = ? AND "start" >= ? AND "start" < ?`,
        [attempt.customer, event, start - DAY_MS, end],
      )
      const inWindow = (one: Line): boolean => timestampOf(one) * 1000 >= start && timestampOf(one) * 1000 < end
      return rows.map(toLine).filter(inWindow)
    },
    async sentAs(identifiers) {
      const sql = `SELECT ${LINE_COLUMNS} FROM ${line} WHERE last_identifier <> '' AND last_identifier IN (${dialect.members})`
      return (await all(sql, [JSON.stringify(identifiers)])).map(toLine)
    },
    async list(standing, terms, limit) {
      const which = standing === 'billed' ? `state = 'idle' AND wanted = sent` : `(state <> 'idle' OR wanted <> sent)`
      const is = standing === undefined ? `standing <> 'before'` : 'standing = ?'
      const params = [...standingParams(terms), ...(standing === undefined ? [] : [standing])]
      const from = `FROM (SELECT ${LINE_COLUMNS}, ${standingSql} AS standing FROM ${line} WHERE ${which}) AS line WHERE ${is}`
      const rows = await all(`SELECT ${LINE_COLUMNS} ${from} ORDER BY "start", id LIMIT ${limit}`, params)
      const [count] = await all(`SELECT count(*) AS lines ${from}`, params)
      return { lines: rows.map(toLine), total: Number(count?.lines) } satisfies Listing
    },
  }
}

const START: Place = { end: Number.MIN_SAFE_INTEGER, id: '' }

const zeros = (): Record<Standing, number> => Object.fromEntries(standings.map(one => [one, 0])) as Record<Standing, number>
