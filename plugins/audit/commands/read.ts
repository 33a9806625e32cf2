// How the commands come to the configured log: whatever they give of it is on record before they give it.
import type { CommandIo, JsonValue } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { readMasterKey } from '../master-key.ts'
import { createOpener, type OpenRecord } from '../opened.ts'
import { findPerson } from '../people.ts'
import type { LogReader, TimeRange } from '../store/log-store.ts'
import { masterKeyPath, openStore } from '../store/open.ts'
import { deriveKeys, type Keys } from '../subjects.ts'

export interface StoredLog {
  /** Of its store. */
  readonly name: string
  readonly reader: LogReader
  close(): Promise<void>
}

/** What a command found. */
export interface Reply {
  /** Its exit code. */
  readonly code: number
  /** For stdout, in one piece. */
  readonly out?: string
  /** For stderr. */
  readonly err?: string
  /** How many records the text gives, where it gives records. */
  readonly records?: number
}

/**
 * For a command whose reply is made before any of it is shown: the read is put on record in between. Resolves to the exit code; 3 where
 * the log cannot be read, or the read not be recorded. `command`: e.g. `audit log`.
 */
export async function readLog(io: CommandIo<AuditConfig>, command: string, work: (log: StoredLog) => Promise<Reply>): Promise<number> {
  try {
    const log = await openUnrecorded(io)
    try {
      const { code, out, err, records } = await work(log)
      await recordRead(io, log, command, records)
      if (out !== undefined) io.out(out)
      if (err !== undefined) io.err(err)
      return code
    } finally {
      await log.close()
    }
  } catch (error) {
    return failed(io, command, error)
  }
}

/** Exit code 3, and why; a bug of ours is no fault of the log. */
export function failed(io: CommandIo<AuditConfig>, command: string, error: unknown): number {
  if ([TypeError, RangeError, ReferenceError].some(kind => error instanceof kind)) throw error
  io.err(`${command}: ${(error as Error).message}\n`)
  return 3
}

/** For a command that gives while it reads: the read is on record when this resolves. Rejects where it cannot be, or the log not be read. */
export async function openLog(io: CommandIo<AuditConfig>, command: string): Promise<StoredLog> {
  const log = await openUnrecorded(io)
  try {
    await recordRead(io, log, command)
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}

// Private to this file, so that no command can read without telling.
async function openUnrecorded(io: CommandIo<AuditConfig>): Promise<StoredLog> {
  const store = openStore(io.stores, io.config)
  const reader = await store.reader()
  return {
    name: store.name,
    reader,
    async close() {
      await reader.close()
      await store.close()
    },
  }
}

async function recordRead(io: CommandIo<AuditConfig>, log: StoredLog, command: string, records?: number): Promise<void> {
  const { options, ...called } = describeCommand(io, command)
  const detail = { ...called, options: await unname(io, log.reader, options), ...(records !== undefined && { records }) }
  if (await io.record({ type: 'log.read', detail })) return
  throw new Error(
    `nothing is shown, for this read could not be put on record: the config must name the plugin audit, and who reads ${log.name} must be able to add to it`,
  )
}

// What every command takes, and what says nothing of what it reads; a file may be named after whom it is about.
const GENERAL: ReadonlySet<string> = new Set(['json', 'config', 'dataDir', 'out'])

export type Options = Readonly<Record<string, JsonValue>>
export type Called = Options & { readonly options: Options }

/** A command as it was called, for the record. */
export function describeCommand({ args, options }: CommandIo<AuditConfig>, command: string): Called {
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined || GENERAL.has(name) ? [] : [[name, value]]))
  const words = args.flat().filter(word => word !== undefined)
  return { command, ...(words.length > 0 && { args: words }), options: Object.fromEntries(given) as Options }
}

/** Who was asked for, by the pseudonyms in the log: a name would stay there when somebody is forgotten. */
export async function unname(io: CommandIo<AuditConfig>, reader: LogReader, options: Options): Promise<Options> {
  const { consumer, subject, tenant } = options
  const id = consumer ?? subject
  if (typeof id !== 'string') return options
  const keys = findKeys(io)
  const rows = typeof keys === 'string' ? [] : await reader.subjects()
  const known =
    typeof keys === 'string' ? [] : findPerson(keys, rows, { id, tenant: typeof tenant === 'string' ? tenant : undefined }).known
  return { ...options, [consumer === undefined ? 'subject' : 'consumer']: known.map(one => one.subject) }
}

/** Where the key is missing, or is another one, that is told, and what is sealed stays so. */
export async function openSealed(io: CommandIo<AuditConfig>, reader: LogReader): Promise<OpenRecord> {
  const keys = keysOf(io)
  const rows = await reader.subjects()
  const open = createOpener(keys, rows)
  if (keys === undefined) return open
  const held = new Set(rows.map(row => row.id))
  let isTold = false
  return record => {
    const body = open(record)
    if (!isTold && body?.personal !== undefined && held.has(body.subject ?? '')) {
      isTold = true
      io.err(`audit: names and contents that were sealed with another key than ${masterKeyPath(io.stores, io.config)} stay sealed\n`)
    }
    return body
  }
}

/** Who has no key sees who did what as pseudonyms. */
function keysOf(io: CommandIo<AuditConfig>): Keys | undefined {
  const keys = findKeys(io)
  if (typeof keys !== 'string') return keys
  io.err(`audit: names and contents stay sealed: ${keys}\n`)
  return undefined
}

/** A string says why there are none. */
function findKeys(io: CommandIo<AuditConfig>): Keys | string {
  try {
    return deriveKeys(readMasterKey(masterKeyPath(io.stores, io.config)))
  } catch (error) {
    return (error as Error).message
  }
}

const AGO: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `--since` and `--until` as ms since 1970; a string says what is wrong. */
export function readRange({ options, clock }: CommandIo<AuditConfig>): TimeRange | string {
  const since = readTime(options.since, clock.now())
  const until = readTime(options.until, clock.now())
  if (since === null) return `--since: ${EXPECTED_TIME}`
  if (until === null) return `--until: ${EXPECTED_TIME}`
  return { since: since ?? Number.MIN_SAFE_INTEGER, until: until ?? Number.MAX_SAFE_INTEGER }
}

export const EXPECTED_TIME = 'expected a date such as 2026-11-21T10:00Z, or a time ago such as 2h'

/** Null: it is none. */
export function readTime(text: string | boolean | undefined, now: number): number | undefined | null {
  if (typeof text !== 'string') return undefined
  const ago = /^(\d+)([smhd])$/.exec(text)
  if (ago !== null) return now - Number(ago[1]) * AGO[ago[2]!]!
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : at
}
