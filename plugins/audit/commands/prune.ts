// `audit prune`: takes the old beginnings of streams out, after they were exported. Exit 1 where a part that is old must stay.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { type CommandIo, type JsonValue, printable } from 'mcpgw/plugin'
import { findLack } from '../archive.ts'
import { writeFrontier } from '../checkpoint-row.ts'
import type { AuditConfig } from '../config.ts'
import { readWaits } from '../exports/unexported.ts'
import { createHolder } from '../holds.ts'
import { readMasterKey } from '../master-key.ts'
import { digestOf, type Signer, signNote } from '../note.ts'
import { type Found, findSegments, type Segment } from '../segments.ts'
import { readSigningKey } from '../signing-key.ts'
import type { LogReader, LogStore, Removal, Retention } from '../store/log-store.ts'
import { masterKeyPath, openStore, signingPaths } from '../store/open.ts'
import { deriveKeys, type Keys } from '../subjects.ts'
import { writeTombstone } from '../tombstone.ts'
import { forgetUnused } from '../unused-keys.ts'
import { readKeys } from './keys.ts'
import { exportedFiles, openSource } from './verify-source.ts'

const DAY_MS = 86_400_000

export async function pruneLog(io: CommandIo<AuditConfig>): Promise<number> {
  const before = readLimit(io)
  if (typeof before === 'string') return refuse(io, 2, before)
  const { exported } = io.options
  const isDry = io.options.dryRun === true
  if (typeof exported !== 'string' && !isDry)
    return refuse(io, 2, '--exported: expected the file that `mcpgw audit export` wrote: what is in no export is not taken out')
  const store = openStore(io.stores, io.config)
  try {
    return isDry ? await plan(io, store, before) : await prune(io, store, before, resolve(io.cwd, exported as string))
  } catch (error) {
    return refuse(io, 3, (error as Error).message)
  } finally {
    await store.close()
  }
}

function refuse(io: CommandIo<AuditConfig>, code: number, why: string): number {
  io.err(`audit prune: ${printable(why)}\n`)
  return code
}

/** ms since 1970. */
function readLimit({ options, clock }: CommandIo<AuditConfig>): number | string {
  const age = options.olderThan
  const { before } = options
  if ((age === undefined) === (before === undefined)) return 'expected either --older-than, such as 400d, or --before, a date'
  if (age !== undefined) {
    const [, days] = /^(\d{1,6})d$/.exec(String(age)) ?? []
    return days === undefined ? '--older-than: expected days, such as 400d' : clock.now() - Number(days) * DAY_MS
  }
  const at = Date.parse(String(before))
  if (Number.isNaN(at)) return '--before: expected a date, such as 2026-01-31'
  return at > clock.now() ? '--before: expected a date that has passed' : at
}

async function plan(io: CommandIo<AuditConfig>, store: LogStore, before: number): Promise<number> {
  const reader = await store.reader()
  try {
    return report(io, await find(io, store, reader, before), true)
  } finally {
    await reader.close()
  }
}

async function prune(io: CommandIo<AuditConfig>, store: LogStore, before: number, exported: string): Promise<number> {
  const signer = readSigningKey(signingPaths(io.stores, io.config).key)
  if (signer === undefined) return refuse(io, 3, 'there is no signing key to sign a tombstone with')
  // From here on nobody adds a hold.
  const retention = await store.retention()
  let found: Found
  let about: About | undefined
  let planned = 0
  let forgotten = 0
  const done: Removal[] = []
  try {
    const reader = await store.reader()
    try {
      found = await find(io, store, reader, before)
    } finally {
      await reader.close()
    }
    if (found.segments.length > 0) {
      const archive = await openSource(io, exported)
      try {
        // The log itself holds all of it, and is no export.
        if (archive.rows !== undefined) return refuse(io, 2, `${exported}: expected a file that \`mcpgw audit export\` wrote`)
        const lack = await findLack(archive, found.segments, signer.name, keysOf(io), io.signal)
        if (lack !== undefined) return refuse(io, 1, `${exported}: ${lack}; nothing was taken out`)
      } finally {
        await archive.close()
      }
      about = { before: new Date(before).toISOString(), exported, exportedDigest: await digestFiles(await exportedFiles(exported)) }
      // Intent before effect: whatever ends this run, the log says what it was about to do.
      if (!(await io.record({ type: 'log.retention', detail: { stage: 'begin', ...about, ...totalOf(found.segments) } })))
        return refuse(io, 3, 'nothing was taken out, for it could not be put on record: the config must name the plugin audit')
    }
    planned = found.segments.length
    await removeAll(io, retention, found.segments, signer, done)
    if (done.length > 0) {
      forgotten = await forgetUnused(store, retention, io.signal)
      await retention.overwrite()
    }
  } finally {
    await retention.close()
    if (about !== undefined) await recordEnd(io, about, done, { isAll: done.length === planned, forgotten })
  }
  return report(io, found, false)
}

interface About extends Readonly<Record<string, JsonValue>> {
  readonly before: string
  readonly exported: string
  /** Of all its bytes. */
  readonly exportedDigest: string
}

async function digestFiles(paths: readonly string[]): Promise<string> {
  const sum = createHash('sha256')
  for (const path of paths) for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) sum.update(chunk)
  return `sha256:${sum.digest('hex')}`
}

async function removeAll(
  io: CommandIo<AuditConfig>,
  retention: Retention,
  segments: readonly Segment[],
  signer: Signer,
  done: Removal[],
): Promise<void> {
  for (const segment of segments) {
    if (io.signal.aborted) throw new Error('stopped; what was taken out so far has its tombstones')
    const removal = entomb(segment, io.clock.now(), signer)
    await retention.remove(removal)
    done.push(removal)
  }
}

function entomb({ stream, from, state, link, between }: Segment, at: number, signer: Signer): Removal {
  const { size: through, frontier } = state
  const note = signNote(signer, writeTombstone({ origin: signer.name, at, stream, through, frontier, link }))
  return { tombstone: { stream, through, at, link, frontier: writeFrontier(frontier), note }, records: through - from, between }
}

interface Extent {
  /** All that was planned. */
  readonly isAll: boolean
  /** Keys of those whose last record went. */
  readonly forgotten: number
}

/** Throws where it cannot be recorded: that it began is, and the tombstones tell what was done. */
async function recordEnd(
  io: CommandIo<AuditConfig>,
  about: About,
  done: readonly Removal[],
  { isAll: success, forgotten }: Extent,
): Promise<void> {
  // The last of each stream has all before it.
  const last = new Map(done.map(({ tombstone }) => [tombstone.stream, tombstone]))
  const streams = [...last.values()].map(({ stream, through, note }) => ({ stream, through, tombstone: digestOf(note) }))
  const records = done.reduce((sum, one) => sum + one.records, 0)
  if (!(await io.record({ type: 'log.retention', success, detail: { stage: 'end', ...about, records, streams, forgotten } })))
    throw new Error('what was taken out could not be recorded; that it began is, and the tombstones tell it')
}

function totalOf(segments: readonly Segment[]): { records: number; streams: { stream: string; through: number }[] } {
  const through = new Map(segments.map(one => [one.stream, one.state.size]))
  return {
    records: segments.reduce((sum, one) => sum + one.state.size - one.from, 0),
    streams: [...through].map(([stream, size]) => ({ stream, through: size })),
  }
}

async function find(io: CommandIo<AuditConfig>, store: LogStore, reader: LogReader, before: number): Promise<Found> {
  const holdOn = createHolder(await reader.holds(), masterKeys(io), await reader.subjects())
  const waits = await readWaits(store, reader, io.config.exports, await io.readers())
  return findSegments(reader, { before, trusted: keysOf(io), holdOn, waits, signal: io.signal })
}

function keysOf(io: CommandIo<AuditConfig>) {
  const keys = readKeys(io)
  if (typeof keys === 'string') throw new Error(keys)
  return keys
}

/** Without them nobody can be told from those who are held. */
function masterKeys(io: CommandIo<AuditConfig>): Keys | undefined {
  try {
    return deriveKeys(readMasterKey(masterKeyPath(io.stores, io.config)))
  } catch {
    return undefined
  }
}

function report(io: CommandIo<AuditConfig>, { segments, kept }: Found, isDry: boolean): number {
  const { records, streams } = totalOf(segments)
  if (io.json) io.out(`${JSON.stringify({ dryRun: isDry, records, streams, kept }, null, 2)}\n`)
  else {
    const verb = isDry ? 'would be taken out' : 'taken out'
    io.out(`${records} records of ${streams.length} streams ${verb}\n`)
    for (const one of kept) io.out(printable(`kept ${one.stream} from record ${one.seq} on: ${one.why}`))
  }
  return kept.length === 0 ? 0 : 1
}
