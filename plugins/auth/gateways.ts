// The method "gateway": another gateway that signs each request, and says for whom of its callers it asks.
import { type Awaitable, type Deny, deny, type Identify, identify, type Peer, type PluginContext, type Principal } from 'mcpgw/plugin'
import { goOn } from './at-once.ts'
import type { GatewayMethod } from './authenticate.ts'
import { type GatewayConfig, isOfGateway } from './gateway-config.ts'
import { readGatewayKeys } from './gateway-keys.ts'
import { createReplays, type Taken } from './gateway-replays.ts'
import { checkStatement, refuse, type Spoken } from './gateway-token.ts'
import { makePrincipal } from './ring.ts'
import { createVerified } from './verified.ts'

export interface Gateways extends GatewayMethod {
  /** Reads keys in files again; whoever came under one that is gone is sent away. Rejects where they cannot be used, and keeps what there is. */
  reload(): Promise<void>
}

const name = 'gateway'
const maxKnown = 10_000

type Ways = Pick<PluginContext, 'stores' | 'clock' | 'expel' | 'onStop' | 'health'>

/** Rejects where keys cannot be used. */
export async function openGateways(ctx: Ways, gateways: readonly GatewayConfig[]): Promise<Gateways | undefined> {
  if (gateways.length === 0) return undefined
  let keys = readGatewayKeys(gateways, ctx.stores)
  const byName = new Map(gateways.map(config => [config.name, config]))
  const redis = ctx.stores.redis()
  if (redis !== undefined) ctx.onStop(() => redis.close())
  redis?.watch(({ isUp, why }) =>
    ctx.health(isUp ? undefined : { status: 'degraded', why: `${redis.name}: ${why ?? 'gone'}; requests of other gateways are refused` }),
  )
  await redis?.connect()
  const replays = createReplays(redis)
  const startedAt = ctx.clock.now()
  // Invariant: one request is asked about more than once, and its statement is taken once.
  const answered = new WeakMap<Peer, Awaitable<Identify | Deny>>()
  const known = createVerified<Identify>(maxKnown)

  function find(of: string) {
    const config = byName.get(of)
    return config && { config, keys: keys.get(of)! }
  }

  function ask(statement: string, peer: Peer, now: number): Awaitable<Identify | Deny> {
    const found = checkStatement(statement, peer, now, find)
    if ('word' in found) return refuse(found)
    const { gateway, jti, from, until } = found
    // What was taken before the start is remembered by nobody.
    if (redis === undefined && from < startedAt)
      return refuse({ word: 'restarted', why: `gateway ${gateway.name}: it was signed before this gateway started` })
    const conclude = (taken: Taken): Identify | Deny => {
      if (taken.kind === 'unsure') return deny('plugin-failed', 'the gateway could not check this request', { detail: taken.why })
      if (taken.kind === 'used') return refuse({ word: 'replayed', why: `gateway ${gateway.name}: it was used before` })
      // It may have been taken out of its file while Redis was asked.
      if (keys.get(gateway.name)?.has(found.keyId) !== true)
        return refuse({ word: 'unknown', why: `gateway ${gateway.name}: its key is gone` })
      return knownAs(found)
    }
    return goOn(replays.take(gateway.name, jti, until, now), conclude)
  }

  /** The same object for whom is the same. */
  function knownAs({ gateway, keyId, id, tenant, roles, gateways: through }: Spoken): Identify {
    const key = JSON.stringify([gateway.name, keyId, id ?? null, tenant, roles, through])
    let identity = known.get(key)
    if (identity === undefined) {
      const own = id === undefined ? gateway.name : `${gateway.name}/${id}`
      identity = Object.freeze(identify(makePrincipal(own, undefined, roles, tenant, viaOf(gateway.name, keyId), { gateways: through })))
      known.set(key, identity)
    }
    return identity
  }

  return {
    identify(statement, peer, now) {
      let answer = answered.get(peer)
      if (answer === undefined) {
        answer = ask(statement, peer, now)
        answered.set(peer, answer)
      }
      return answer
    },
    ownerOf: id => gateways.find(one => isOfGateway(id, one))?.name,
    async reload() {
      keys = readGatewayKeys(gateways, ctx.stores)
      const isGone = ({ via }: Principal): boolean => via.method === name && keys.get(via.issuer ?? '')?.has(via.keyId ?? '') !== true
      ctx.expel(isGone)
    },
  }
}

function viaOf(issuer: string, keyId: string): Principal['via'] {
  return { method: name, issuer, keyId }
}
