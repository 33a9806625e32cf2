// What the commands share: opening a stored log, and the times that they take.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { readMasterKey } from '../master-key.ts'
import { createOpener, type OpenRecord } from '../opened.ts'
import type { LogReader, TimeRange } from '../store/log-store.ts'
import { masterKeyPath, openStore } from '../store/open.ts'
import { deriveKeys, type Keys } from '../subjects.ts'

export interface StoredLog {
  /** Of its store. */
  readonly name: string
  readonly reader: LogReader
  close(): Promise<void>
}
export interface ReadableLog extends StoredLog {
  readonly open: OpenRecord
}

/** The configured one. Rejects where it cannot be read. */
export async function openLog(io: CommandIo<AuditConfig>): Promise<StoredLog> {
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

/** With what is sealed in it. Undefined where the log cannot be read; then the reason is on stderr and the exit code is 3. */
export async function openForReading(io: CommandIo<AuditConfig>): Promise<ReadableLog | undefined> {
  try {
    const log = await openLog(io)
    return { ...log, open: await openSealed(io, log.reader) }
  } catch (error) {
    io.err(`audit: ${(error as Error).message}\n`)
    return undefined
  }
}

/** Where the key is missing, that is told, and nothing opens. */
export async function openSealed(io: CommandIo<AuditConfig>, reader: LogReader): Promise<OpenRecord> {
  return createOpener(keysOf(io), await reader.subjects())
}

/** Who has no key sees who did what as pseudonyms. */
function keysOf(io: CommandIo<AuditConfig>): Keys | undefined {
  try {
    return deriveKeys(readMasterKey(masterKeyPath(io.stores, io.config)))
  } catch (error) {
    io.err(`audit: names and contents stay sealed: ${(error as Error).message}\n`)
    return undefined
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
