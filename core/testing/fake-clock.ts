// A clock whose hands a test turns: timers run in the order of their time, and nothing else makes time pass.
import type { Clock } from '../plugin/index.ts'

export interface FakeClock extends Clock {
  /** Lets `ms` pass: runs what falls due, in order, with the promises that each timer settles. */
  advance(ms: number): Promise<void>
  /** Timers that are set. */
  readonly timers: number
}

/** `start`: wall clock, ms since 1970. */
export function createFakeClock(start: number = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0
  let count = 0
  const timers = new Map<number, { at: number; run: () => void }>()

  function due(limit: number): number | undefined {
    let first: number | undefined
    for (const [id, { at }] of timers) if (at <= limit && (first === undefined || at < timers.get(first)!.at)) first = id
    return first
  }

  return {
    now: () => start + elapsed,
    mono: () => elapsed,
    after(ms, run) {
      const id = count++
      timers.set(id, { at: elapsed + ms, run })
      return () => void timers.delete(id)
    },
    get timers() {
      return timers.size
    },
    async advance(ms) {
      const limit = elapsed + ms
      await settlePromises()
      for (let id = due(limit); id !== undefined; id = due(limit)) {
        const { at, run } = timers.get(id)!
        timers.delete(id)
        elapsed = at
        run()
        await settlePromises()
      }
      elapsed = limit
    },
  }
}

/** Every promise reaction that is ready now, and those that these make ready. */
function settlePromises(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
