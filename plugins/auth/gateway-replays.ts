// Statements of other gateways that were taken already: each is good for one request, as long as it would hold. With Redis, for all gateways together.
import { hash } from 'node:crypto'
import type { Awaitable, Redis } from 'mcpgw/plugin'

/** `unsure`: whether it was taken cannot be told. */
export type Taken = { readonly kind: 'new' | 'used' } | { readonly kind: 'unsure'; readonly why: string }

export interface Replays {
  /** Times are ms since 1970. */
  take(gateway: string, jti: string, until: number, now: number): Awaitable<Taken>
}

/** Of each gateway; that many within a minute and a half are a thousand a second. */
const most = 100_000
const isNew: Taken = Object.freeze({ kind: 'new' })
const isUsed: Taken = Object.freeze({ kind: 'used' })

export function createReplays(redis: Redis | undefined): Replays {
  const byGateway = new Map<string, Map<string, number>>()

  function takeHere(gateway: string, jti: string, until: number, now: number): Taken {
    const taken = byGateway.get(gateway) ?? new Map<string, number>()
    byGateway.set(gateway, taken)
    if (taken.has(jti)) return isUsed
    // About in the order in which they end: clocks and lives differ little.
    for (const [old, end] of taken) {
      if (end > now) break
      taken.delete(old)
    }
    // Invariant: none is forgotten while it holds.
    if (taken.size >= most) return { kind: 'unsure', why: `more than ${most} requests of gateway ${gateway} within its time` }
    taken.set(jti, until)
    return isNew
  }

  return {
    take(gateway, jti, until, now) {
      const here = takeHere(gateway, jti, until, now)
      if (redis === undefined || here.kind !== 'new') return here
      return takeThere(redis, gateway, jti, until - now)
    },
  }
}

const script = `return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and 1 or 0`

async function takeThere(redis: Redis, gateway: string, jti: string, ms: number): Promise<Taken> {
  try {
    const key = `mcpgw:caller:${hash('sha256', `${gateway}\0${jti}`, 'base64url')}`
    return (await redis.run(script, [key], [Math.ceil(ms)])) === 1 ? isNew : isUsed
  } catch (error) {
    return { kind: 'unsure', why: `${redis.name}: ${(error as Error).message}` }
  }
}
