// `audit exports`: how far each configured export has come, beside a gateway that runs or none. It shows no record, so it is no read of the log
// that would have to be on record. Exit 1 where an export fails.
import { alignColumns, type CommandIo, type Stores } from 'mcpgw/plugin'
import { showAddress } from '../addresses.ts'
import type { AuditConfig } from '../config.ts'
import type { ExportConfig, Receiver } from '../exports/config.ts'
import { checkProgress, type Progress, readProgress } from '../exports/progress.ts'
import { nameOfPlace } from '../s3.ts'
import type { LogReader, LogStore } from '../store/log-store.ts'
import { openStore } from '../store/open.ts'
import { failed } from './read.ts'

interface Standing {
  readonly name: string
  /** Without what may be secret in it. */
  readonly to: string
  /** Undefined: what is kept of it cannot be read. */
  readonly progress: Progress | undefined
  /** Records of all types behind its cursor. */
  readonly behind: number | undefined
  /** ms since 1970: of the first of these. */
  readonly oldestAt: number | undefined
  /** Why it does not go on, and since when (ms since 1970) where that is known. */
  readonly problem: { readonly why: string; readonly since?: number } | undefined
}

export async function showExports(io: CommandIo<AuditConfig>): Promise<number> {
  const store = openStore(io.stores, io.config)
  try {
    const reader = await store.reader()
    try {
      const found: Standing[] = []
      for (const config of io.config.exports) found.push(await look(io, store, reader, config))
      io.out(io.json ? toJson(found, io.clock.now()) : toText(found, io.clock.now()))
      return found.some(({ problem }) => problem !== undefined) ? 1 : 0
    } finally {
      await reader.close()
    }
  } catch (error) {
    return failed(io, 'audit exports', error)
  } finally {
    await store.close()
  }
}

async function look(io: CommandIo<AuditConfig>, store: LogStore, reader: LogReader, { name, receiver }: ExportConfig): Promise<Standing> {
  const to = nameOf(receiver, io.stores)
  const state = await store.exportState(name)
  let progress: Progress | undefined
  try {
    progress = readProgress(state)
    await checkProgress(progress, reader)
  } catch (error) {
    return { name, to, progress, behind: undefined, oldestAt: undefined, problem: { why: (error as Error).message } }
  }
  const oldestAt = await firstAt(reader, progress.cursor, io.signal)
  return { name, to, progress, behind: await reader.behind(progress.cursor), oldestAt, problem: progress.failing }
}

async function firstAt(reader: LogReader, cursor: string | undefined, signal: AbortSignal): Promise<number | undefined> {
  for await (const { records } of reader.forward(signal, cursor)) return records[0]?.at
  return undefined
}

export function nameOf(receiver: Receiver, stores: Stores): string {
  const { kind } = receiver
  if ('path' in receiver) return stores.resolve(receiver.path)
  if ('bucket' in receiver) return nameOfPlace(receiver)
  return 'url' in receiver ? showAddress(receiver.url) : kind
}

const timeOf = (ms: number): string => new Date(ms).toISOString()
/** A clock may have been set back since. */
const ageOf = (at: number, now: number): number => Math.max(0, now - at)

function toJson(found: readonly Standing[], now: number): string {
  const exports = found.map(({ name, to, progress, behind, oldestAt, problem }) => ({
    name,
    to,
    cursor: progress?.cursor ?? null,
    last: progress?.last === undefined ? null : { stream: progress.last.stream, seq: progress.last.seq },
    sent: progress?.records ?? null,
    rejected: progress?.rejected ?? null,
    behind: behind ?? null,
    oldest: oldestAt === undefined ? null : { at: timeOf(oldestAt), ageMs: ageOf(oldestAt, now) },
    lastSuccess: progress?.last === undefined ? null : timeOf(progress.at),
    failing: problem === undefined ? null : { since: problem.since === undefined ? null : timeOf(problem.since), why: problem.why },
  }))
  return `${JSON.stringify({ exports }, null, 2)}\n`
}

function toText(found: readonly Standing[], now: number): string {
  if (found.length === 0) return 'no exports are configured\n'
  const rows = found.map(({ name, to, progress, behind, oldestAt, problem }) => [
    name,
    to,
    progress === undefined ? '-' : `${progress.records}${progress.rejected === 0 ? '' : ` (${progress.rejected} rejected)`}`,
    progress?.last === undefined ? '-' : `${progress.last.stream}:${progress.last.seq}`,
    progress?.last === undefined ? '-' : timeOf(progress.at),
    behind === undefined ? '-' : String(behind),
    oldestAt === undefined ? '-' : describeAge(ageOf(oldestAt, now)),
    stateOf(progress, problem),
  ])
  return alignColumns([['EXPORT', 'TO', 'SENT', 'LAST', 'LAST SUCCESS', 'BEHIND', 'OLDEST', 'STATE'], ...rows])
}

function stateOf(progress: Progress | undefined, problem: Standing['problem']): string {
  if (problem === undefined) return progress?.last === undefined ? 'not begun' : 'ok'
  return `failing${problem.since === undefined ? '' : ` since ${timeOf(problem.since)}`}: ${problem.why}`
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
]

function describeAge(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length) ?? ['s', 1000]
  return `${Math.floor(ms / size)} ${unit}`
}
