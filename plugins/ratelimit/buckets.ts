// So many requests a minute of each principal: a bucket that fills evenly, kept as the one moment at which it will be full.
import type { Exchange } from 'mcpgw/plugin'
import type { RatelimitConfig } from './config.ts'
import { keyOf } from './limit.ts'

const minuteMs = 60_000
const maxBuckets = 100_000

interface Rate {
  /** Between two requests. */
  readonly everyMs: number
  /** So far may a bucket be from full. */
  readonly depthMs: number
}

export interface Buckets {
  /** Takes one; the milliseconds to wait where there is none. */
  take(exchange: Exchange, now: number): number | undefined
}

export function createBuckets({ defaultPerMinute, burstMultiplier, keys }: RatelimitConfig): Buckets {
  const rateOf = (perMinute: number): Rate => {
    const everyMs = minuteMs / perMinute
    return { everyMs, depthMs: Math.max(everyMs, minuteMs * burstMultiplier) }
  }
  const usual = defaultPerMinute === undefined ? undefined : rateOf(defaultPerMinute)
  const byKey = new Map(Object.entries(keys).map(([id, perMinute]) => [id, rateOf(perMinute)]))
  /** When each will be full; a full one is not kept. Last used last. */
  const fullAt = new Map<string, number>()

  return {
    take(x, now) {
      const keyId = x.principal?.via.keyId
      const own = keyId === undefined ? undefined : byKey.get(keyId)
      const rate = own ?? usual
      if (rate === undefined) return undefined
      const key = own === undefined ? keyOf('principal', x) : `key\0${keyId}`
      const full = Math.max(now, fullAt.get(key) ?? now)
      // Sums of fractions are not exact.
      const missing = full + rate.everyMs - now - rate.depthMs
      if (missing > rate.everyMs / 1e6) return missing
      if (!fullAt.delete(key) && !makeRoom(now)) return rate.everyMs
      fullAt.set(key, full + rate.everyMs)
      return undefined
    },
  }

  /** A newcomer finds no place while all are in use: none of them is forgotten for him. */
  function makeRoom(now: number): boolean {
    let left = 4
    for (const [key, at] of fullAt) {
      if (left-- === 0 || at > now) break
      fullAt.delete(key)
    }
    return fullAt.size < maxBuckets
  }
}
