// What of a log may be taken out: of each stream the beginning that is old, whole as it was signed, and held by nobody.
import { leafOfBody, linkRecord } from './chain.ts'
import { openCheckpoint, readRow, type SignedState } from './checkpoint-row.ts'
import type { Waits } from './exports/unexported.ts'
import { describeHold } from './holds.ts'
import type { Trusted } from './note.ts'
import type { CheckpointRow, Hold, LogReader, StoredRecord } from './store/log-store.ts'
import { readTombstoneRow, type Tombstone } from './tombstone.ts'
import { createTree } from './tree.ts'

/** From one checkpoint of a stream, or its beginning, to another one. */
export interface Segment {
  readonly stream: string
  /** Records before it: taken out already, or by the segment before this one. */
  readonly from: number
  /** What was signed of its end. */
  readonly state: SignedState
  /** ms since 1970: when that was. */
  readonly signedAt: number
  /** Hex: the hash of its last record. */
  readonly link: string
  /** The numbers of its first and last record, where the store numbers them. */
  readonly between: readonly [number, number] | undefined
}

/** Where old records stay, and why. */
export interface Kept {
  readonly stream: string
  readonly seq: number
  readonly why: string
}

export interface Found {
  /** Those of a stream behind one another. */
  readonly segments: readonly Segment[]
  readonly kept: readonly Kept[]
}

export interface SegmentOptions {
  /** ms since 1970: what is older may go. */
  readonly before: number
  readonly trusted: readonly Trusted[]
  readonly holdOn: (record: StoredRecord) => Hold | undefined
  readonly waits: Waits
  readonly signal: AbortSignal
}

/** Records that go at once: no more than fit between two checkpoints, where those are further apart. */
const BATCH = 500

export async function findSegments(reader: LogReader, options: SegmentOptions): Promise<Found> {
  const rows = new Map<string, CheckpointRow[]>()
  for await (const page of reader.checkpoints())
    for (const row of page) {
      const found = rows.get(row.stream)
      if (found === undefined) rows.set(row.stream, [row])
      else found.push(row)
    }
  const tombstones = new Map((await reader.tombstones()).map(row => [row.stream, row]))
  const ends = await findEnds(reader)
  const segments: Segment[] = []
  const kept: Kept[] = []
  for (const [stream, checkpoints] of rows) {
    const row = tombstones.get(stream)
    const stump = row && readTombstoneRow(row, options.trusted)
    if (typeof stump === 'string') kept.push({ stream, seq: row!.through + 1, why: `its tombstone: ${stump}` })
    else {
      const end = ends.get(stream) ?? Number.MAX_SAFE_INTEGER
      const found = await walk(reader, stream, stump, checkpoints, end, options)
      segments.push(...found.segments)
      kept.push(...found.kept)
    }
  }
  return { segments, kept }
}

/** Of streams that are written, or that the next boot has to close: what must stay of them begins behind this. */
async function findEnds(reader: LogReader): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>()
  for (const { name } of await reader.openStreams()) {
    const [head, intents] = [await reader.head(name), await reader.openCalls(name)]
    ends.set(name, Math.min(head?.seq ?? 0, ...intents.map(one => one.seq)) - 1)
  }
  // The next stream continues it.
  const last = await reader.last()
  if (last !== undefined) ends.set(last.stream, Math.min(ends.get(last.stream) ?? last.seq, last.seq - 1))
  return ends
}

async function walk(
  reader: LogReader,
  stream: string,
  stump: Tombstone | undefined,
  rows: readonly CheckpointRow[],
  end: number,
  { before, trusted, holdOn, waits, signal }: SegmentOptions,
): Promise<Found> {
  const bySize = new Map(rows.map(row => [row.size, row]))
  const reach = Math.max(0, ...rows.map(row => row.size).filter(size => size <= end))
  const tree = createTree(stump?.through, stump?.frontier)
  const segments: Segment[] = []
  let last = stump?.link
  let from = tree.size
  let first: number | undefined
  let whole: Segment | undefined
  const take = (): void => {
    if (whole === undefined) return
    segments.push(whole)
    from = whole.state.size
    first = whole = undefined
  }
  const stop = (seq: number, why?: string): Found => {
    take()
    return { segments, kept: why === undefined ? [] : [{ stream, seq, why }] }
  }
  /** A string says why what is signed there cannot be taken out. */
  const close = ({ n, hash }: StoredRecord): string | undefined => {
    const row = bySize.get(tree.size)
    if (row === undefined) return undefined
    const state = readRow(row, note => openCheckpoint(note, trusted))
    if (typeof state === 'string') return `the checkpoint of ${row.size} records: ${state}`
    if (state.root !== tree.root()) return `the checkpoint of ${row.size} records is of others; see mcpgw audit verify`
    const between = n === undefined || first === undefined ? undefined : ([first, n] as const)
    whole = { stream, from, state, signedAt: row.at, link: hexOf(hash), between }
    if (tree.size - from >= BATCH) take()
    return undefined
  }

  for await (const page of reader.stream(stream, tree.size + 1, signal))
    for (const record of page) {
      const { n, seq, at, prev, hash, body } = record
      if (seq > reach || at >= before) return stop(seq)
      const leaf = leafOfBody(body)
      const fits = seq === tree.size + 1 && (last === undefined || hexOf(prev) === last) && hexOf(hash) === hexOf(linkRecord(prev, leaf))
      if (!fits) return stop(seq, 'it does not fit the record before it; see mcpgw audit verify')
      const hold = holdOn(record)
      if (hold !== undefined) return stop(seq, describeHold(hold))
      const waiting = waits(record)
      if (waiting !== undefined) return stop(seq, waiting)
      first ??= n
      last = hexOf(hash)
      tree.add(leaf)
      const why = close(record)
      if (why !== undefined) return stop(seq, why)
    }
  return stop(tree.size)
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
