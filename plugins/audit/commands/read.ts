// Reads a stored log page by page, so that memory stays flat and the gateway that writes it is not held up.
import type { CommandIo, Database } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { SCHEMA, type StoredRecord } from '../table.ts'

export const PAGE = 2000

/** Undefined where the log cannot be read; then the reason is on stderr and the exit code is 3. */
export function openForReading(io: CommandIo<AuditConfig>, path: string = io.config.path): Database | undefined {
  try {
    const db = io.stores.open(path, { readOnly: true, schema: SCHEMA })
    try {
      db.prepare('SELECT n FROM record LIMIT 1').get()
    } catch (error) {
      db.close()
      throw new Error(`${db.path}: is no audit log: ${(error as Error).message}`)
    }
    return db
  } catch (error) {
    io.err(`audit: ${(error as Error).message}\n`)
    return undefined
  }
}

/** All records, oldest first. Between pages other work gets its turn. */
export async function* readForward<R extends { readonly n: number } = StoredRecord>(
  db: Database,
  signal: AbortSignal,
  columns = '*',
): AsyncGenerator<readonly R[]> {
  const page = db.prepare(`SELECT ${columns} FROM record WHERE n > ? ORDER BY n LIMIT ${PAGE}`)
  let last = Number.MIN_SAFE_INTEGER
  while (!signal.aborted) {
    const rows = page.all(last) as unknown as R[]
    if (rows.length === 0) return
    yield rows
    last = rows[rows.length - 1]!.n
    await new Promise(resolve => setImmediate(resolve))
  }
}

export interface TimeRange {
  readonly since: number
  readonly until: number
}

/** Records in the range, newest first. */
export async function* readBackward(
  db: Database,
  { since, until }: TimeRange,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[]> {
  const page = db.prepare(`SELECT * FROM record WHERE n < ? AND at >= ? AND at <= ? ORDER BY n DESC LIMIT ${PAGE}`)
  let last = Number.MAX_SAFE_INTEGER
  while (!signal.aborted) {
    const rows = page.all(last, since, until) as unknown as StoredRecord[]
    if (rows.length === 0) return
    yield rows
    last = rows[rows.length - 1]!.n
    await new Promise(resolve => setImmediate(resolve))
  }
}

const AGO: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `--since` and `--until` as ms since 1970; a string says what is wrong. */
export function readRange({ options, clock }: CommandIo<AuditConfig>): TimeRange | string {
  const since = readTime(options.since, clock.now())
  const until = readTime(options.until, clock.now())
  if (since === null) return '--since: expected a date such as 2026-11-21T10:00Z, or a time ago such as 2h'
  if (until === null) return '--until: expected a date such as 2026-11-21T10:00Z, or a time ago such as 2h'
  return { since: since ?? Number.MIN_SAFE_INTEGER, until: until ?? Number.MAX_SAFE_INTEGER }
}

function readTime(text: string | boolean | undefined, now: number): number | undefined | null {
  if (typeof text !== 'string') return undefined
  const ago = /^(\d+)([smhd])$/.exec(text)
  if (ago !== null) return now - Number(ago[1]) * AGO[ago[2]!]!
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : at
}
