// What was signed of each stream: how its tree looked at which size. A log whose tree looks otherwise there is another log.
import type { Checkpoint, StreamState } from './checkpoint.ts'
import type { Hash } from './tree.ts'

interface Signed {
  readonly root: Hash
  /** ms since 1970. */
  readonly at: number
  readonly isTrusted: boolean
}

export interface SignedSizes {
  /** `isTrusted`: it was kept where the log is not, so that it proves that nothing is missing. */
  add(checkpoint: Pick<Checkpoint, 'at'>, states: readonly StreamState[], isTrusted: boolean): void
  /** True where something was signed at that size; then `meet` wants the root. */
  has(stream: string, size: number): boolean
  /** When what was signed differs: ms since 1970. */
  meet(stream: string, size: number, root: Hash): number | undefined
  /** The largest size that nobody has met, of some stream. */
  unmet(reached: (stream: string) => number): { readonly stream: string; readonly size: number; readonly at: number } | undefined
  isMet(state: StreamState): boolean
  /** Of what is trusted and was met, the largest size of each stream. */
  proven(): ReadonlyMap<string, number>
  /** Every trusted size that was met, to go on from later. */
  readonly met: Iterable<string>
}

const keyOf = (stream: string, size: number, root: Hash): string => `${size} ${Buffer.from(root, 'latin1').toString('base64')} ${stream}`

/** `met`: of an earlier run. */
export function createSignedSizes(met: Iterable<string> = []): SignedSizes {
  const byStream = new Map<string, Map<number, Signed[]>>()
  const known = new Set(met)
  return {
    met: known,
    add({ at }, states, isTrusted) {
      for (const { stream, size, root } of states) {
        const sizes = byStream.get(stream) ?? new Map<number, Signed[]>()
        byStream.set(stream, sizes)
        const same = sizes.get(size) ?? []
        // Many checkpoints repeat the end of a stream that does not grow any more.
        const at0 = same.findIndex(one => one.root === root)
        if (at0 < 0) sizes.set(size, [...same, { root, at, isTrusted }])
        else if (isTrusted && !same[at0]!.isTrusted) sizes.set(size, same.with(at0, { root, at, isTrusted }))
      }
    },
    has: (stream, size) => byStream.get(stream)?.has(size) === true,
    meet(stream, size, root) {
      for (const one of byStream.get(stream)?.get(size) ?? []) {
        if (one.root !== root) return one.at
        if (one.isTrusted) known.add(keyOf(stream, size, root))
      }
      return undefined
    },
    unmet(reached) {
      for (const [stream, sizes] of byStream) {
        const size = Math.max(...sizes.keys())
        if (size > reached(stream)) return { stream, size, at: sizes.get(size)![0]!.at }
      }
      return undefined
    },
    isMet: ({ stream, size, root }) => known.has(keyOf(stream, size, root)),
    proven() {
      const largest = new Map<string, number>()
      for (const [stream, sizes] of byStream)
        for (const [size, signed] of sizes)
          if (signed.some(one => one.isTrusted && known.has(keyOf(stream, size, one.root))))
            largest.set(stream, Math.max(size, largest.get(stream) ?? 0))
      return largest
    },
  }
}
