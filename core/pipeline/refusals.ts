// Tells the plugins of what was refused before there was an exchange: a connection, a request, a message that is none.
import { chain, isPromise, walk } from '../awaitable.ts'
import { HookFailure } from '../guard.ts'
import type { Awaitable, Peer, Refused } from '../plugin/index.ts'
import type { Refusal } from '../refusal.ts'
import { Slots } from '../slots.ts'
import { type Driver, isForgiven } from './driver.ts'

export interface Refusals {
  /** Never throws and never waits: the refusal stands whatever the plugins do. */
  refused(refused: Refused): void
  /** Resolves when no onRefused is running any more; each of them has a time limit. */
  drain(): Promise<void>
}

/** Of texts that the client wrote so much is handed on. */
const LONGEST = 200

export function createRefusals(driver: Driver): Refusals {
  const { stack, guard } = driver
  const running = new Slots<Promise<void>>()

  function tell(refused: Refused): Awaitable<undefined> {
    return walk(
      stack.refused,
      (step): Awaitable<undefined> =>
        chain(guard.call(step.site, step.run, refused, undefined), result => {
          if (result instanceof HookFailure) isForgiven(driver, undefined, result, step.plugin)
          return undefined
        }),
    )
  }

  return {
    refused(refused) {
      if (stack.refused.length === 0) return
      const { method, path, action } = refused
      const done = tell(Object.freeze({ ...refused, ...cut('method', method), ...cut('path', path), ...cut('action', action) }))
      if (!isPromise(done)) return
      const slot = running.add(done.then(() => void running.remove(slot)))
    },
    async drain() {
      while (running.size > 0) await Promise.all(running.all())
    },
  }
}

/** A connection that a plugin refused, as the others hear of it. */
export function refusedPeer({ transport, ip }: Peer, { code, reason, by }: Refusal): Refused {
  return { code, reason, by, transport, ip }
}

function cut(name: 'method' | 'path' | 'action', text: string | undefined): Partial<Refused> {
  return text === undefined || text.length <= LONGEST ? {} : { [name]: `${text.slice(0, LONGEST)}…` }
}
