// What a soak has to show: memory and open files level off, and whoever counts has counted the same.

/** MiB, and how many. `at`: seconds since the load began. */
export interface Sample {
  readonly at: number
  readonly heap: number
  readonly rss: number
  readonly fds: number
  readonly handles: number
}

export interface Soaked {
  readonly samples: readonly Sample[]
  /** With nothing under way: before the load, and after it. */
  readonly idle: readonly [Sample, Sample]
  /** What must be the same, each as two who counted it. */
  readonly ledger: readonly { readonly what: string; readonly counts: Readonly<Record<string, number>> }[]
  /** Answers that were wrong or cut off. */
  readonly wrong: number
}

export interface Figure {
  readonly what: string
  readonly value: string
  readonly bound: string
  readonly isGood: boolean
}

const HEAP_MB_IN_10_MINUTES = 1
/** What two collections of the same heap differ by. */
const HEAP_NOISE_MB = 1
const RSS_GROWTH = 1.1
export const MORE_OPEN: number = 5

export function judge({ samples, idle, ledger, wrong }: Soaked): readonly Figure[] {
  const second = samples.slice(Math.floor(samples.length / 2))
  const minutes = second.length < 2 ? 0 : (second.at(-1)!.at - second[0]!.at) / 60
  const slope = slopeOf(second.map(({ at, heap }) => [at / 600, heap]))
  const growth = (slope * minutes) / 10
  const third = Math.floor(samples.length / 3)
  const most = (some: readonly Sample[]): number => Math.max(...some.map(({ rss }) => rss))
  const rss = [most(samples.slice(third, 2 * third)), most(samples.slice(2 * third))] as const
  const [before, after] = idle
  const open = (what: 'fds' | 'handles'): Figure => ({
    what: `${what} before and after`,
    value: `${before[what]}, ${after[what]}`,
    bound: `at most ${MORE_OPEN} more`,
    isGood: after[what] <= before[what] + MORE_OPEN,
  })
  return [
    {
      what: 'heap after GC, second half',
      value: `${slope.toFixed(2)} MiB in 10 min (${growth.toFixed(2)} MiB in ${minutes.toFixed(1)} min)`,
      bound: `${HEAP_MB_IN_10_MINUTES} MiB in 10 min, and ${HEAP_NOISE_MB} of noise`,
      isGood: growth <= (HEAP_MB_IN_10_MINUTES * minutes) / 10 + HEAP_NOISE_MB,
    },
    {
      what: 'RSS, most in the second and the last third',
      value: `${rss[0].toFixed(0)}, ${rss[1].toFixed(0)} MiB`,
      bound: `within ${((RSS_GROWTH - 1) * 100).toFixed(0)} %`,
      isGood: rss[1] <= rss[0] * RSS_GROWTH,
    },
    open('fds'),
    open('handles'),
    { what: 'answers that were wrong or cut off', value: `${wrong}`, bound: '0', isGood: wrong === 0 },
    ...ledger.map(({ what, counts }) => ({
      what,
      value: Object.entries(counts)
        .map(([who, count]) => `${who} ${count}`)
        .join(', '),
      bound: 'equal',
      isGood: new Set(Object.values(counts)).size === 1,
    })),
  ]
}

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return spread === 0 ? 0 : points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread
}
