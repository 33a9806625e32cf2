// Calls that wait for a place at a server: in order for each caller, in turn among callers, bounded in number and in bytes.

/** What is asked of a lane: whether its server reads slower than we write. */
export interface Held {
  readonly backedUp: boolean
}

export interface Waiting<E> {
  /** Whose call it is: a caller who sends many delays himself, not the others. */
  readonly owner: string
  readonly bytes: number
  readonly lane: Held
  /** When it came, ms. */
  readonly since: number
  /** Ends the waiting, with a place or with an answer. Once; again is ignored. */
  settle(entry: E): void
}

export interface Queue<E> {
  readonly size: number
  hasRoom(bytes: number): boolean
  add(one: Waiting<E>): void
  /** False where it does not wait any more. */
  remove(one: Waiting<E>): boolean
  /** Whose turn it is, of those whose lane can be written to; its owner is last from now on. */
  next(): Waiting<E> | undefined
  /** The newest call of whoever has the most here, if that is more than this owner would have with one more. */
  longestBut(owner: string): Waiting<E> | undefined
  all(): Waiting<E>[]
  /** When the oldest came; `Infinity` where none waits. */
  since(): number
}

/** Each holds the params of its call. */
const MAX_BYTES = 64 * 1024 * 1024

export function createQueue<E>(places: number, maxBytes: number = MAX_BYTES): Queue<E> {
  // Invariant: no queue is empty; the owner who was served last stands last.
  const owners = new Map<string, Waiting<E>[]>()
  let size = 0
  let bytes = 0

  return {
    get size() {
      return size
    },
    hasRoom: more => size < places && (size === 0 || bytes + more <= maxBytes),
    add(one) {
      const line = owners.get(one.owner)
      if (line === undefined) owners.set(one.owner, [one])
      else line.push(one)
      size++
      bytes += one.bytes
    },
    remove(one) {
      const line = owners.get(one.owner)
      const at = line?.indexOf(one) ?? -1
      if (line === undefined || at < 0) return false
      line.splice(at, 1)
      if (line.length === 0) owners.delete(one.owner)
      size--
      bytes -= one.bytes
      return true
    },
    next() {
      for (const [owner, line] of owners) {
        const first = line.find(one => !one.lane.backedUp)
        if (first === undefined) continue
        owners.delete(owner)
        owners.set(owner, line)
        return first
      }
      return undefined
    },
    longestBut(owner) {
      let longest: Waiting<E>[] | undefined
      for (const line of owners.values()) if (line.length > (longest?.length ?? 0)) longest = line
      return longest !== undefined && longest.length > (owners.get(owner)?.length ?? 0) + 1 ? longest.at(-1) : undefined
    },
    all: () => [...owners.values()].flat(),
    // Invariant: each owner's first is his oldest.
    since: () => Math.min(...[...owners.values()].map(line => line[0]!.since)),
  }
}
