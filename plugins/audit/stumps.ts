// Streams whose beginning was taken out: where each goes on, and that a tombstone tells of the records that are there all the same.
import type { Reference } from './references.ts'
import type { Tombstone } from './tombstone.ts'
import { createTree, type Hash, type Tree } from './tree.ts'

/** How far a stream was read. */
export interface Tip {
  seq: number
  link: Uint8Array
  readonly tree: Tree
  /** Records before it that were taken out. */
  readonly retired: number
  readonly refers: readonly Reference[]
}

export interface Stumps {
  /** As if nothing of the stream were left. */
  readonly tips: readonly (readonly [stream: string, tip: Tip])[]
  /** Of what was taken out, where `tip` is before it. */
  end(stream: string, tip: Tip | undefined): Tip | undefined
  /**
   * Where the stream is before record `seq`. An export that was gone on with over a prune has the records, and behind them the tombstone
   * that covers them: then they are checked as any. Where it lacks the last of them, it goes on behind the tombstone.
   */
  before(stream: string, seq: number, tip: Tip | undefined): Tip | undefined
  /** A tombstone tells of another record in this place, or of others before it. */
  differs(stream: string, seq: number, hash: Uint8Array, root: () => Hash): boolean
}

/** Of a stream there may be several, one behind the other. */
export function createStumps(tombstones: readonly Tombstone[]): Stumps {
  const byStream = new Map<string, Tombstone[]>()
  for (const one of tombstones)
    byStream.set(
      one.stream,
      [...(byStream.get(one.stream) ?? []), one].sort((a, b) => a.through - b.through),
    )
  const at = (stream: string, seq: number): Tombstone | undefined => byStream.get(stream)?.find(one => one.through === seq)
  return {
    tips: [...byStream].map(([stream, all]) => [stream, tipOf(all.at(-1)!)]),
    end(stream, tip) {
      const last = byStream.get(stream)?.at(-1)
      return last !== undefined && last.through > (tip?.seq ?? 0) ? tipOf(last) : undefined
    },
    before(stream, seq, tip) {
      if (tip === undefined || seq === tip.seq + 1 || !byStream.has(stream)) return tip
      const isUntouched = tip.retired > 0 && tip.seq === tip.retired
      const stump = at(stream, seq - 1)
      if (stump !== undefined && (isUntouched || tip.seq < stump.through)) return tipOf(stump)
      return seq === 1 && isUntouched ? undefined : tip
    },
    differs(stream, seq, hash, root) {
      const stump = at(stream, seq)
      return stump !== undefined && (stump.link !== Buffer.from(hash).toString('hex') || createTree(seq, stump.frontier).root() !== root())
    },
  }
}

const tipOf = ({ through, link, frontier }: Tombstone): Tip => ({
  seq: through,
  link: Buffer.from(link, 'hex'),
  tree: createTree(through, frontier),
  retired: through,
  refers: [],
})
