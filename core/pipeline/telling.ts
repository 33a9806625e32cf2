// Tells plugins what belongs to no exchange: whoever tells never throws and never waits.
import { chain, isPromise, walk } from '../awaitable.ts'
import { HookFailure } from '../guard.ts'
import type { Awaitable } from '../plugin/index.ts'
import { Slots } from '../slots.ts'
import { type Driver, isForgiven } from './driver.ts'
import type { Step } from './stack.ts'

export interface Telling {
  tell<T>(steps: readonly (Omit<Step, 'run'> & { readonly run: (event: T) => Awaitable<void> })[], event: T): void
  /** Resolves when no hook that was told is running any more; each of them has a time limit. */
  drain(): Promise<void>
}

export function createTelling(driver: Driver): Telling {
  const running = new Slots<Promise<void>>()
  return {
    tell(steps, event) {
      const done = walk(
        steps,
        (step): Awaitable<undefined> =>
          chain(driver.guard.call(step.site, step.run, event, undefined), result => {
            if (result instanceof HookFailure) isForgiven(driver, undefined, result, step.plugin)
            return undefined
          }),
      )
      if (!isPromise(done)) return
      const slot = running.add(done.then(() => void running.remove(slot)))
    },
    async drain() {
      while (running.size > 0) await Promise.all(running.all())
    },
  }
}
