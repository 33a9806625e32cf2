// `audit drill`: tampers with copies of the log, and shows what finds it. Exit 0 only where all of it is found.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alignColumns, type CommandIo } from 'mcpgw/plugin'
import { checkLog, type Verdict } from '../check-log.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { openCheckpoint } from '../checkpoint-row.ts'
import type { AuditConfig } from '../config.ts'
import type { Trusted } from '../note.ts'
import { type CheckpointRow, checkpointRow, type LogReader, type LogStore, ROWS, tombstoneRow } from '../store/log-store.ts'
import { sqliteStore } from '../store/sqlite.ts'
import { type Tampering, type Target, tamperings } from '../tampering.ts'
import { readKeys } from './keys.ts'
import { type Reply, readLog } from './read.ts'
import { describeFinding } from './verify-report.ts'
import { openStored } from './verify-source.ts'

interface Found {
  readonly kind: string
  /** Undefined where it was not found. */
  readonly by: 'the log itself' | 'the checkpoint kept elsewhere' | undefined
  readonly what: string
}

export async function drillLog(io: CommandIo<AuditConfig>): Promise<number> {
  const keys = readKeys(io)
  if (typeof keys === 'string' || keys.length === 0)
    return refuse(io, typeof keys === 'string' ? keys : 'there is no verifier beside the log')
  return readLog(io, 'audit drill', async ({ reader }) => {
    const dir = mkdtempSync(join(tmpdir(), 'mcpgw-drill-'))
    try {
      return await drill(io, dir, reader, keys)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
}

async function drill(io: CommandIo<AuditConfig>, dir: string, reader: LogReader, keys: readonly Trusted[]): Promise<Reply> {
  const trusted = await copyLog(reader, sqliteStore(io.stores, join(dir, 'whole.db'), 'os'), keys, io.signal)
  if (trusted === undefined) throw new Error('the log has no checkpoint that is signed by its key')
  const prepared = await prepare(io, dir, keys, trusted)
  if (typeof prepared === 'string') throw new Error(prepared)
  const found: Found[] = []
  for (const one of tamperings) {
    if (io.signal.aborted) throw new Error('stopped')
    if (io.interactive) io.err(`${one.kind} ...\n`)
    found.push(await tryOut(io, dir, one, prepared))
  }
  const all = found.every(one => one.by !== undefined)
  return { code: all ? 0 : 1, out: io.json ? `${JSON.stringify({ found: all, ways: found }, null, 2)}\n` : toText(found) }
}

function refuse(io: CommandIo<AuditConfig>, why: string): number {
  io.err(`audit drill: ${why}\n`)
  return 3
}

/** Leaves out what came after the newest checkpoint, which is returned: it stands in for the one that was kept elsewhere. */
async function copyLog(reader: LogReader, to: LogStore, keys: readonly Trusted[], signal: AbortSignal): Promise<Checkpoint | undefined> {
  const writer = await to.writer('drill')
  try {
    const tombstones = await reader.tombstones()
    if (tombstones.length > 0) await writer.append(tombstones.map(tombstoneRow))
    let newest: CheckpointRow | undefined
    for await (const page of reader.checkpoints()) {
      await writer.append(page.map(checkpointRow))
      newest = page.at(-1)
    }
    const trusted = newest && openCheckpoint(newest.note, keys)
    const sizes = new Map(trusted?.streams.map(one => [one.stream, one.size]))
    // Of a stream that it does not list nothing says whether it came before or after, but the place among those that it lists.
    let [met, end] = [0, 0]
    for await (const { records } of reader.forward(signal))
      for (const { stream, seq } of records) {
        met += 1
        if (seq <= (sizes.get(stream) ?? 0)) end = met
      }
    met = 0
    for await (const { records } of reader.forward(signal)) {
      const kept = records.filter(one => ++met <= end && one.seq <= (sizes.get(one.stream) ?? one.seq))
      if (kept.length === 0) continue
      await writer.append(
        kept.map(({ stream, seq, at, type, call, prev, hash, body }) => ({
          sql: ROWS.record,
          params: [stream, seq, at, type, call, toHex(prev), toHex(hash), Buffer.from(body).toString()],
        })),
      )
    }
    return trusted
  } finally {
    await writer.close()
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

type Drill = Pick<Target, 'middle' | 'last' | 'keys'> & { readonly trusted: Checkpoint }

/** A string says why there can be no drill. */
async function prepare(io: CommandIo<AuditConfig>, dir: string, keys: readonly Trusted[], trusted: Checkpoint): Promise<Drill | string> {
  const db = io.stores.open(join(dir, 'whole.db'))
  try {
    const last = Number(db.prepare('SELECT count(*) AS size FROM record').get()?.size)
    const middle = db
      .prepare(
        'SELECT n FROM record AS one WHERE n > 2 AND n < ? AND EXISTS (SELECT 1 FROM record AS next WHERE next.n = one.n + 1 AND next.stream = one.stream) ORDER BY abs(n - ?) LIMIT 1',
      )
      .get(last - 1, Math.floor(last / 2))?.n
    const told = db.prepare("SELECT n FROM record WHERE type = 'audit.checkpoint' LIMIT 1").get()
    if (middle === undefined || told === undefined) return 'the log is too short: make some calls, and stop the gateway'
    const sound = await verify(io, join(dir, 'whole.db'), keys, [trusted])
    if (sound.kind !== 'proven')
      return `the log is not sound as it is: ${sound.broken === undefined ? sound.kind : describeFinding(sound.broken)}`
    return { middle: Number(middle), last, keys, trusted }
  } finally {
    db.close()
  }
}

async function verify(
  io: CommandIo<AuditConfig>,
  path: string,
  keys: readonly Trusted[],
  trusted: readonly Checkpoint[],
): Promise<Verdict> {
  const source = await openStored(sqliteStore(io.stores, path, 'os'))
  try {
    return await checkLog({ source, keys, trusted, signal: io.signal })
  } finally {
    await source.close()
  }
}

async function tryOut(io: CommandIo<AuditConfig>, dir: string, { kind, ways }: Tampering, { trusted, ...about }: Drill): Promise<Found> {
  let found: Found = { kind, by: undefined, what: 'NOT FOUND' }
  for (const way of ways) {
    const path = join(dir, 'copy.db')
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    copyFileSync(join(dir, 'whole.db'), path)
    const db = io.stores.open(path)
    way({ db, ...about })
    db.close()
    const alone = await verify(io, path, about.keys, [])
    const { broken } = alone.kind === 'broken' ? alone : await verify(io, path, about.keys, [trusted])
    if (broken === undefined) return { kind, by: undefined, what: 'NOT FOUND' }
    found = { kind, by: alone.kind === 'broken' ? 'the log itself' : 'the checkpoint kept elsewhere', what: describeFinding(broken) }
  }
  return found
}

function toText(found: readonly Found[]): string {
  const rows = found.map(({ kind, by, what }) => [kind, by === undefined ? '-' : 'found', by ?? '-', what])
  return `${alignColumns([['TAMPERING', '', 'BY', 'WHAT VERIFY SAYS'], ...rows])}${found.filter(one => one.by !== undefined).length} of ${found.length} found\n`
}
