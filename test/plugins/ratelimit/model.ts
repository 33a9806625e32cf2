// What limits are made of in tests, and the laws as a naive model keeps them.
import type { Cell, Count } from '../../../plugins/ratelimit/cell.ts'

export const START = 1_700_000_000_000

export const windowOf = (most: number, spanMs: number): Cell => ({ kind: 'window', id: `w/${most}/${spanMs}`, most, spanMs })
export const bucketOf = (everyMs: number, burst: number): Cell => ({
  kind: 'bucket',
  id: `b/${everyMs}/${burst}`,
  everyMs,
  depthMs: everyMs * burst,
})
export const countOf = (cell: Cell, whose = 'a', cost = 1): Count => ({ cell, whose, cost, limit: { text: cell.id, by: 'all' } })

/** What was counted, and not taken back. */
export interface Counted {
  readonly at: number
  readonly counts: readonly Count[]
}

/** Whether this may be let through too. */
export function holds(all: readonly Counted[], { cell, whose, cost }: Count, now: number): boolean {
  const own = all.flatMap(({ at, counts }) =>
    counts.filter(one => one.cell === cell && one.whose === whose).map(one => ({ at, cost: one.cost })),
  )
  const sum = (from: number): number => own.filter(({ at }) => at > from).reduce((total, one) => total + one.cost, 0)
  if (cell.kind === 'window') return sum(now - cell.spanMs) + cost <= cell.most
  // In any time no more than the burst and what is filled in meanwhile.
  const burst = cell.depthMs / cell.everyMs
  return own.every(({ at }) => sum(at - 1) + cost <= burst + (now - at) / cell.everyMs + 1e-6) && cost <= burst
}
