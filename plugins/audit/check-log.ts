// A whole verification: what was signed, then every record, then what they add up to.
import type { Checkpoint } from './checkpoint.ts'
import { openCheckpoint, readRow } from './checkpoint-row.ts'
import { digestOf, type Trusted } from './note.ts'
import type { GivenRecord } from './record-form.ts'
import { createSignedSizes, type SignedSizes } from './signed-sizes.ts'
import type { CheckpointRow, TombstoneRow } from './store/log-store.ts'
import { openTombstone, readTombstoneRow, type Tombstone } from './tombstone.ts'
import { createVerifier, type Finding, type FoundNote, type Progress, type Verifier, type VerifierOptions } from './verification.ts'

/** A log to verify. */
export interface Source {
  /** For messages. */
  readonly name: string
  /** To tell how far one is. */
  readonly total: number | undefined
  /** Each stream in the order of `seq`; `cursor`: where an earlier run went on. Throws where it is damaged. */
  pages(signal: AbortSignal, cursor?: string): AsyncIterable<{ readonly records: readonly GivenRecord[]; readonly cursor: string }>
  lookUp(stream: string, seq: number): Promise<Uint8Array | undefined>
  /** Every checkpoint, oldest first, and tombstone as a store has it; undefined where there are only notes. */
  readonly rows: { checkpoints(): AsyncIterable<readonly CheckpointRow[]>; readonly tombstones: readonly TombstoneRow[] } | undefined
  readonly notes: { readonly checkpoints: readonly string[]; readonly tombstones: readonly string[] }
  /** Whether records were taken out since it was opened: then those that it had not read yet seem to be missing. */
  isPruned(): Promise<boolean>
  close(): Promise<void>
}

export interface CheckOptions {
  readonly source: Source
  /** Whose signatures count; with none, checkpoints are not checked. */
  readonly keys: readonly Trusted[]
  /** Checkpoints that were kept elsewhere, oldest first. */
  readonly trusted: readonly Checkpoint[]
  readonly signal: AbortSignal
  readonly from?: { readonly cursor: string; readonly progress: Progress; readonly met: readonly string[] } | undefined
  onPage?(verifier: Verifier, cursor: string, signed: SignedSizes): void
}

export interface Verdict {
  /** `proven`: up to `upTo` nothing is missing and nothing was changed. `stopped`: not at the end, nothing is wrong so far. */
  readonly kind: 'proven' | 'consistent' | 'empty' | 'broken' | 'stopped'
  readonly broken: Finding | undefined
  /** The newest trusted checkpoint that the log fits. */
  readonly upTo: Checkpoint | undefined
  /** That are as they should be. */
  readonly records: number
  /** Of them, those that trusted checkpoints cover. */
  readonly proven: number
  /** The same by stream: its first so many. */
  readonly covered: ReadonlyMap<string, number>
  readonly streams: number
  /** Signed checkpoints of the log itself that were checked; undefined for want of a key. */
  readonly checkpoints: number | undefined
  /** Records that were taken out, by signed tombstones. */
  readonly retired: number
  readonly openIntents: number
  readonly unannounced: number
  readonly clockSteps: number
}

export async function checkLog(options: CheckOptions): Promise<Verdict> {
  const { source, keys, trusted, signal, from } = options
  const signed = createSignedSizes(from?.met)
  for (const checkpoint of trusted) signed.add(checkpoint, checkpoint.streams, true)
  const own = await readOwn(source, keys, signed)
  const { stumps, findNote } = own
  const verifier = createVerifier({ lookUp: source.lookUp, signed, stumps, findNote }, from?.progress)
  const broken = own.finding ?? (await findFirst(options, verifier, signed))
  const upTo = trusted.findLast(one => one.streams.every(state => signed.isMet(state)))
  const { records, streams, open, unannounced, clockSteps } = verifier
  const kind =
    broken !== undefined ? 'broken' : signal.aborted ? 'stopped' : upTo !== undefined ? 'proven' : records === 0 ? 'empty' : 'consistent'
  const covered = kind === 'proven' ? verifier.covered() : new Map<string, number>()
  const retired = verifier.retired()
  return {
    kind,
    broken,
    upTo: kind === 'proven' ? upTo : undefined,
    records,
    proven: [...covered].reduce((sum, [stream, size]) => sum + Math.max(0, size - (retired.get(stream) ?? 0)), 0),
    covered,
    streams,
    checkpoints: keys.length === 0 ? undefined : own.checkpoints,
    retired: [...retired.values()].reduce((sum, one) => sum + one, 0),
    openIntents: open,
    unannounced,
    clockSteps,
  }
}

async function findFirst(
  { source, signal, from, onPage }: CheckOptions,
  verifier: Verifier,
  signed: SignedSizes,
): Promise<Finding | undefined> {
  try {
    for await (const { records, cursor } of source.pages(signal, from?.cursor)) {
      for (const record of records) {
        const checked = verifier.check(record)
        const finding = checked instanceof Promise ? await checked : checked
        if (finding !== undefined) return finding
      }
      onPage?.(verifier, cursor, signed)
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'store-unreadable') throw error
    // It opened as a log, and now a page of it cannot be read.
    return { n: verifier.records + 1, stream: '?', seq: 0, what: `the file is damaged: ${(error as Error).message}` }
  }
  return signal.aborted ? undefined : verifier.finish()
}

interface Own extends Pick<VerifierOptions, 'stumps' | 'findNote'> {
  readonly checkpoints: number
  readonly finding?: Finding
}

/** What the log says of itself, as far as it is signed; read before the records, so that what is signed then is stored already. */
async function readOwn({ rows, notes }: Source, keys: readonly Trusted[], signed: SignedSizes): Promise<Own> {
  const stumps: Tombstone[] = []
  const digests = rows === undefined ? undefined : new Map<string, string>()
  const isKeyed = keys.length > 0
  // A gateway that lost its connection is taken for ended: then another one may sign the same size first. A trusted signature says as much.
  const judge = (found: string | undefined, digest: unknown): FoundNote | undefined =>
    found === undefined ? undefined : isKeyed || found === digest ? 'fits' : 'differs'
  const findNote: Own['findNote'] =
    digests &&
    ((stream, size, digest) => {
      const key = `${size} ${stream}`
      return judge(digests.get(key), digest) ?? readNew().then(() => judge(digests.get(key), digest) ?? 'missing')
    })
  let checkpoints = 0
  const fault = (kind: string, stream: string, seq: number, what: string): Own => ({
    checkpoints: 0,
    stumps,
    findNote,
    finding: { n: undefined, stream, seq, what: `${kind} of ${seq} records: ${what}` },
  })
  for (const row of isKeyed ? (rows?.tombstones ?? []) : []) {
    const stump = readTombstoneRow(row, keys)
    if (typeof stump === 'string') return fault('the tombstone', row.stream, row.through, stump)
    stumps.push(stump)
  }
  // Rows of one note stand behind one another.
  let last: { note: string; checkpoint: Checkpoint | undefined } | undefined
  const open = (note: string): Checkpoint | undefined => {
    if (last?.note !== note) last = { note, checkpoint: openCheckpoint(note, keys) }
    return last.checkpoint
  }
  /** What was signed since by a gateway that writes. */
  async function readNew(): Promise<void> {
    for await (const page of rows?.checkpoints() ?? [])
      for (const row of page)
        if (!isKeyed || typeof readRow(row, open) !== 'string') digests?.set(`${row.size} ${row.stream}`, digestOf(row.note))
  }
  for await (const page of rows?.checkpoints() ?? [])
    for (const row of page) {
      digests?.set(`${row.size} ${row.stream}`, digestOf(row.note))
      if (!isKeyed) continue
      const state = readRow(row, open)
      if (typeof state === 'string') return fault('the checkpoint', row.stream, row.size, state)
      signed.add(row, [state], false)
      checkpoints += 1
    }
  if (!isKeyed) return { checkpoints, stumps, findNote }
  for (const note of notes.tombstones) {
    const tombstone = openTombstone(note, keys)
    if (tombstone === undefined) return fault('a tombstone', '?', 0, 'its note is not signed by a trusted key')
    stumps.push(tombstone)
  }
  for (const note of notes.checkpoints) {
    const checkpoint = openCheckpoint(note, keys)
    if (checkpoint === undefined) return fault('a checkpoint', '?', 0, 'its note is not signed by a trusted key')
    signed.add(checkpoint, checkpoint.streams, false)
    checkpoints += 1
  }
  return { checkpoints, stumps, findNote }
}
