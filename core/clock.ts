// The clocks of the machine. Everything that waits or stamps takes a Clock, so that tests turn the hands themselves.
import type { Awaitable, Clock } from './plugin/index.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

export const timedOut: unique symbol = Symbol('timed out')

/** What `work` resolves to, or `timedOut`; a rejection passes. The work itself goes on. */
export async function within<T>(clock: Clock, ms: number, work: () => Awaitable<T>): Promise<T | typeof timedOut> {
  let cancel = (): void => {}
  const limit = new Promise<typeof timedOut>(resolve => {
    cancel = clock.after(ms, () => resolve(timedOut))
  })
  try {
    return await Promise.race([work(), limit])
  } finally {
    cancel()
  }
}
