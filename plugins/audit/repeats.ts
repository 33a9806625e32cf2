// Anybody can be refused without end: what repeats itself is counted, so that recording refusals cannot be turned against the gateway.
import { hash } from 'node:crypto'
import type { Clock } from 'mcpgw/plugin'

/** What happened since the last record of its kind. Times: ms since 1970. */
export interface Repeated {
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

export interface RepeatsOptions<T> {
  readonly clock: Clock
  /** Records one that came by itself. False where it could not be recorded: then it is counted. */
  one(sample: T): Promise<boolean>
  /** Records what repeated itself; without a sample they are of many kinds. False: counted again, and tried again. */
  many(sample: T | undefined, repeated: Repeated): Promise<boolean>
}

export interface Repeats<T> {
  /** The first of its key is recorded at once, the others with one record for each window. `sample` is kept and must be small. */
  take(key: string, sample: T): void
  /** As `take`, but records nothing: true where the caller is to record it by itself. */
  isFirst(key: string, sample: T): boolean
  /** Records what is counted. Resolves to how many could not be recorded. */
  flush(): Promise<number>
}

interface Bucket<T> {
  readonly sample: T | undefined
  /** Monotonic, ms. */
  readonly due: number
  count: number
  firstAt: number
  lastAt: number
}

export const WINDOW_MS = 10_000
/** So many kinds are told apart in one window; all others share one. */
export const MAX_KEYS = 1000
const LONGEST_KEY = 300
const OTHERS = ''

export function createRepeats<T>({ clock, one, many }: RepeatsOptions<T>): Repeats<T> {
  // Invariant: in the order in which they are due, for all last equally long.
  const buckets = new Map<string, Bucket<T>>()
  let cancel: (() => void) | undefined

  function open(key: string, sample: T | undefined): Bucket<T> {
    const bucket = { sample, due: clock.mono() + WINDOW_MS, count: 0, firstAt: 0, lastAt: 0 }
    buckets.set(key, bucket)
    cancel ??= clock.after(WINDOW_MS, sweep)
    return bucket
  }

  function count(key: string, sample: T | undefined, { count, firstAt, lastAt }: Repeated): void {
    const bucket = buckets.get(key) ?? open(key, sample)
    bucket.firstAt = bucket.count === 0 ? firstAt : Math.min(bucket.firstAt, firstAt)
    bucket.lastAt = Math.max(bucket.lastAt, lastAt)
    bucket.count += count
  }

  function keyOf(given: string): string {
    const key = given.length > LONGEST_KEY ? hash('sha256', given, 'hex') : given
    return buckets.has(key) || buckets.size < MAX_KEYS ? key : OTHERS
  }

  /** The key under which it was the first, or undefined where it was counted. */
  function enter(given: string, sample: T): string | undefined {
    const key = keyOf(given)
    if (!buckets.has(key)) {
      open(key, key === OTHERS ? undefined : sample)
      return key
    }
    const now = clock.now()
    count(key, sample, { count: 1, firstAt: now, lastAt: now })
    return undefined
  }

  function sweep(): void {
    cancel = undefined
    const now = clock.mono()
    for (const [key, bucket] of buckets) {
      if (bucket.due > now) {
        cancel = clock.after(bucket.due - now, sweep)
        return
      }
      buckets.delete(key)
      if (bucket.count === 0) continue
      const { sample, ...repeated } = bucket
      open(key, sample)
      void many(sample, repeated).then(isRecorded => {
        if (!isRecorded) count(key, sample, repeated)
      })
    }
  }

  return {
    take(given, sample) {
      const key = enter(given, sample)
      if (key === undefined) return
      const at = clock.now()
      void one(sample).then(isRecorded => {
        if (!isRecorded) count(key, sample, { count: 1, firstAt: at, lastAt: at })
      })
    },
    isFirst: (given, sample) => enter(given, sample) !== undefined,
    async flush() {
      cancel?.()
      cancel = undefined
      const counted = [...buckets].filter(([, bucket]) => bucket.count > 0)
      buckets.clear()
      const written = await Promise.all(counted.map(([, { sample, ...repeated }]) => many(sample, repeated)))
      return counted.reduce((lost, [, bucket], i) => lost + (written[i] ? 0 : bucket.count), 0)
    },
  }
}
