// Peers that come and go. A plugin may refuse an address here; who the caller is, each request proves anew.
import { chain, walk } from '../awaitable.ts'
import { HookFailure } from '../guard.ts'
import type { Awaitable, Peer } from '../plugin/index.ts'
import type { Refusal } from '../refusal.ts'
import { type Driver, garbage, isForgiven, refuseDeny, refuseFailure } from './driver.ts'
import { type Refusals, refusedPeer } from './refusals.ts'
import { readVerdict } from './verdicts.ts'

export interface Connections {
  connect(peer: Peer): Awaitable<Refusal | undefined>
  disconnect(peer: Peer): Awaitable<void>
}

export function createConnections(driver: Driver, refusals: Pick<Refusals, 'refused'>): Connections {
  const { stack, guard } = driver
  // Plugins 0..n-1 have seen this peer come.
  const entered = new WeakMap<Peer, number>()

  function connect(peer: Peer): Awaitable<Refusal | undefined> {
    Object.freeze(peer)
    const refused = walk(stack.connection, step => {
      entered.set(peer, step.index + 1)
      return chain(guard.call(step.site, step.run, peer, undefined), result => {
        if (result instanceof HookFailure) return refuseFailure(driver, undefined, result, step)
        const verdict = readVerdict(result, ['pass', 'deny'])
        if (verdict === undefined) return refuseFailure(driver, undefined, garbage(step.site, result), step)
        return verdict.kind === 'deny' ? refuseDeny(driver, undefined, verdict, step.plugin.name) : undefined
      })
    })
    return chain(refused, refusal => {
      if (refusal === undefined) entered.set(peer, stack.plugins.length)
      else refusals.refused(refusedPeer(peer, refusal))
      return refusal
    })
  }

  function disconnect(peer: Peer): Awaitable<void> {
    const count = entered.get(peer) ?? 0
    entered.delete(peer)
    return walk(stack.close, (step): Awaitable<undefined> => {
      if (step.index >= count) return undefined
      return chain(guard.call(step.site, step.run, peer, undefined), result => {
        if (result instanceof HookFailure) isForgiven(driver, undefined, result, step.plugin)
        return undefined
      })
    })
  }

  return { connect, disconnect }
}
