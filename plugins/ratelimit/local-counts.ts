// The counts of this gateway: as many as are in use, and no more than memory has room for.
import { type Cell, type Count, type Counts, makeState, type Short, type State, type Taken } from './cell.ts'

/** Of each law. */
const maxStates = 100_000
/** So many idle ones are let go with each new one, */
const swept = 4
/** but not the last ones: a request may just have opened them, and not yet have counted. */
const spared = 16

export class LocalCounts implements Counts {
  /** Last used last: whoever has not come for a whole span stands first. */
  readonly #tables = new Map<string, Map<string, State>>()
  readonly #now: () => number

  /** Milliseconds of a clock that nobody sets back. */
  constructor(now: () => number) {
    this.#now = now
  }

  take(counts: readonly Count[]): Taken | Short {
    const found = this.look(counts)
    return found.kind === 'short' ? found : this.count(found.states, counts)
  }

  /** Whether each has a place now; where they have, what they are to be counted in. */
  look(counts: readonly Count[]): Short | { readonly kind: 'room'; readonly states: readonly State[] } {
    const now = this.#now()
    const states: State[] = []
    let short: Short | undefined
    for (const [index, { cell, whose, cost }] of counts.entries()) {
      const state = this.open(cell, whose, now)
      const waitMs = state === undefined ? longest(cell) : state.waitFor(cost, now)
      if (waitMs > 0 && waitMs > (short?.waitMs ?? 0)) short = { kind: 'short', index, waitMs }
      if (state !== undefined) states.push(state)
    }
    return short ?? { kind: 'room', states }
  }

  count(states: readonly State[], counts: readonly Count[]): Taken {
    const now = this.#now()
    const marks = states.map((state, index) => {
      const { cost } = counts[index]!
      state.alone += cost
      return state.add(cost, now)
    })
    return {
      kind: 'taken',
      takeBack() {
        for (const [index, mark] of marks.entries()) if (mark !== undefined) mark.count -= counts[index]!.cost
      },
    }
  }

  /** Undefined where nothing has been counted. */
  find(cell: Cell, whose: string): State | undefined {
    return this.#tables.get(cell.id)?.get(whose)
  }

  /** A newcomer finds no place while every one is in use: none of them is forgotten for him. */
  open(cell: Cell, whose: string, now: number): State | undefined {
    let table = this.#tables.get(cell.id)
    if (table === undefined) {
      table = new Map()
      this.#tables.set(cell.id, table)
    }
    let state = table.get(whose)
    if (state === undefined) {
      sweep(table, now)
      if (table.size >= maxStates) return undefined
      state = makeState(cell)
    } else table.delete(whose)
    table.set(whose, state)
    return state
  }
}

export const longest = (cell: Cell): number => (cell.kind === 'window' ? cell.spanMs : Math.max(cell.everyMs, cell.depthMs))

function sweep(table: Map<string, State>, now: number): void {
  let left = swept
  for (const [whose, state] of table) {
    if (left-- === 0 || table.size <= spared || !state.isIdle(now)) return
    table.delete(whose)
  }
}
