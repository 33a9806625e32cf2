// The end of every exchange: each plugin that was entered hears how it went, once, in reverse order, after the reply.
import { chain, isPromise, walk } from '../awaitable.ts'
import { type LiveExchange, stateOf } from '../exchange.ts'
import { HookFailure } from '../guard.ts'
import type { Awaitable, Outcome } from '../plugin/index.ts'
import { Slots } from '../slots.ts'
import { type Driver, isForgiven } from './driver.ts'

export interface Settling {
  settle(x: LiveExchange, outcome: Outcome): void
  /** Resolves when no onSettled is running any more; each of them has a time limit. */
  drain(): Promise<void>
}

export function createSettling(driver: Driver): Settling {
  const { stack, guard, observer } = driver
  const running = new Slots<Promise<void>>()

  function run(x: LiveExchange, outcome: Outcome): Awaitable<undefined> {
    const { entered } = stateOf(x)
    return walk(stack.settled, (step): Awaitable<undefined> => {
      // What is refused is on record even where the recorder stands behind the plugin that refused.
      if (step.index >= entered && !step.plugin.capabilities.has('records')) return undefined
      return chain(guard.call(step.site, step.run, x, outcome), result => {
        if (result instanceof HookFailure) isForgiven(driver, x, result, step.plugin)
        return undefined
      })
    })
  }

  return {
    settle(x, outcome) {
      const state = stateOf(x)
      if (state.phase === 'settled') return
      state.phase = 'settled'
      observer?.settled(x, outcome)
      if (stack.settled.length === 0) return
      const done = run(x, Object.freeze(outcome))
      if (!isPromise(done)) return
      const slot = running.add(done.then(() => void running.remove(slot)))
    },
    async drain() {
      while (running.size > 0) await Promise.all(running.all())
    },
  }
}
