// What this gateway has itself let through: that counts whatever Redis says, so that one that forgets or lies lifts no limit.
import type { Cell, Count, Short, State, Taken } from './cell.ts'
import { LocalCounts } from './local-counts.ts'

/** Where a count is made here later than in Redis, by the way of an answer at most, */
const lateMs = 1000
/** and where clocks do not go alike, or neighbours are counted together, by such a part of the span. */
const part = 32
/** Redis tells of buckets in microseconds. */
const roundedMs = 0.001

export interface Place {
  /** It is let through. */
  keep(): Taken
  /** It is not. */
  leave(): void
  /** True where Redis has counted only `used`, this one among them, and that is less than it must have heard from here alone. */
  knowsMore(used: readonly number[]): boolean
}

export class Floor {
  readonly #own: LocalCounts
  readonly #now: () => number

  constructor(now: () => number) {
    this.#own = new LocalCounts(now)
    this.#now = now
  }

  /** A place in each, until it is known whether it is let through: whoever asks meanwhile finds it taken. */
  reserve(counts: readonly Count[]): Short | Place {
    const found = this.#own.look(counts)
    if (found.kind === 'short') return found
    const { states } = found
    for (const [index, state] of states.entries()) state.pending += counts[index]!.cost
    const leave = (): void => {
      for (const [index, state] of states.entries()) state.pending -= counts[index]!.cost
    }
    return {
      leave,
      keep: () => {
        leave()
        return this.#own.count(states, counts)
      },
      knowsMore: used =>
        counts.some(({ cell, cost }, index) => this.#leastOf(cell, states[index]!) + sizeOf(cell, cost) > used[index]! + roundedMs),
    }
  }

  used({ cell, whose }: Count): number {
    return this.#own.find(cell, whose)?.used(this.#now()) ?? 0
  }

  /** Of what is still counted after whatever may be explained. */
  #leastOf(cell: Cell, state: State): number {
    const spanMs = cell.kind === 'window' ? cell.spanMs : cell.depthMs
    return state.usedAfter(lateMs + spanMs / part, this.#now())
  }
}

/** As Redis tells it: of a bucket milliseconds. */
const sizeOf = (cell: Cell, cost: number): number => (cell.kind === 'window' ? cost : cost * cell.everyMs)
