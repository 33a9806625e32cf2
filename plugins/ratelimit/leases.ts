// How many requests are under way at once, over all gateways: a lease for each in Redis, which ends by itself where its gateway has died.
import { hash } from 'node:crypto'
import type { Awaitable, Clock, Exchange, Redis } from 'mcpgw/plugin'
import type { AtOnce } from './rules.ts'
import { CLOCK } from './script.ts'
import type { Sharing } from './sharing.ts'

const leaseMs = 30_000
const renewMs = leaseMs / 3
/** Of one script. */
const renewed = 200
const forgetful = 'it says that less is under way than this gateway alone has let through'

/** KEYS: one a limit. ARGV: who, ms of the lease, of each limit how many. Returns the place of a limit that has no room, or 0. */
export const ACQUIRE: string = `${CLOCK}
local lease = tonumber(ARGV[2])
for i = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', string.format('%.3f', now))
  if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[2 + i]) then return i end
end
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], string.format('%.3f', now + lease), ARGV[1])
  redis.call('PEXPIRE', KEYS[i], lease)
end
return 0`

/** KEYS: of each lease. ARGV: ms of a lease, then of each lease who. */
const RENEW = `${CLOCK}
local lease = tonumber(ARGV[1])
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], string.format('%.3f', now + lease), ARGV[1 + i])
  redis.call('PEXPIRE', KEYS[i], lease)
end
return 0`

/** KEYS: of each lease. ARGV: who. */
const RELEASE = `
for i = 1, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 0`

export interface Leases {
  /** The limit that has no room; undefined where the request may go on: then it holds a place until it is released. */
  acquire(x: Exchange): Awaitable<AtOnce | undefined>
  release(x: Exchange): Awaitable<void>
}

export interface Shared {
  readonly redis: Redis
  readonly sharing: Sharing
}

export function createLeases(limits: readonly AtOnce[], clock: Clock, shared?: Shared): Leases {
  /** Of this gateway, by key: how many; and by exchange: its keys. */
  const counts = new Map<string, number>()
  const held = new Map<string, readonly string[]>()

  function hold(id: string, keys: readonly string[]): void {
    held.set(id, keys)
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  }

  function acquireAlone(id: string, asked: readonly AtOnce[], keys: readonly string[]): AtOnce | undefined {
    const full = asked.find(({ most }, index) => (counts.get(keys[index]!) ?? 0) >= most)
    if (full === undefined) hold(id, keys)
    return full
  }

  async function acquireTogether(
    { redis, sharing }: Shared,
    id: string,
    asked: readonly AtOnce[],
    keys: readonly string[],
  ): Promise<AtOnce | undefined> {
    let why = 'an answer that is not understood'
    try {
      const place = await redis.run(ACQUIRE, keys.map(nameOf), [id, leaseMs, ...asked.map(({ most }) => most)])
      if (typeof place === 'number' && asked[place - 1] !== undefined) return asked[place - 1]
      if (place === 0) {
        const full = acquireAlone(id, asked, keys)
        if (full === undefined) return undefined
        // Every place here has a lease there, or it has been forgotten.
        sharing.failed(forgetful)
        await redis.run(RELEASE, keys.map(nameOf), [id]).catch(nothing)
        return full
      }
    } catch (error) {
      why = (error as Error).message
    }
    sharing.failed(why)
    return acquireAlone(id, asked, keys)
  }

  /** Also of what was begun without Redis, or what it has forgotten. */
  async function renew({ redis, sharing }: Shared): Promise<void> {
    const all = [...held].flatMap(([id, keys]) => keys.map(key => ({ id, key: nameOf(key) })))
    for (let from = 0; from < all.length; from += renewed) {
      if (sharing.generation === undefined) return
      // One that has ended meanwhile must not come back.
      const some = all.slice(from, from + renewed).filter(({ id }) => held.has(id))
      const args = [leaseMs, ...some.map(({ id }) => id)]
      await redis
        .run(
          RENEW,
          some.map(({ key }) => key),
          args,
        )
        .catch((error: Error) => sharing.failed(error.message))
    }
  }

  if (shared !== undefined && limits.length > 0) {
    const again = (): void => {
      clock.after(renewMs, () => {
        void renew(shared)
        again()
      })
    }
    again()
    shared.sharing.onShared(() => void renew(shared))
  }

  return {
    acquire(x) {
      const asked: AtOnce[] = []
      const keys: string[] = []
      for (const limit of limits) {
        const key = limit.keyOf(x)
        if (key === undefined) continue
        asked.push(limit)
        keys.push(key)
      }
      if (keys.length === 0) return undefined
      return shared?.sharing.generation === undefined ? acquireAlone(x.id, asked, keys) : acquireTogether(shared, x.id, asked, keys)
    },
    release({ id }) {
      const keys = held.get(id)
      if (keys === undefined) return
      held.delete(id)
      for (const key of keys) {
        const left = counts.get(key)! - 1
        if (left === 0) counts.delete(key)
        else counts.set(key, left)
      }
      // Where it cannot be said now, the lease ends by itself.
      if (shared?.sharing.generation !== undefined) return shared.redis.run(RELEASE, keys.map(nameOf), [id]).then(nothing, nothing)
    },
  }
}

const nothing = (): void => {}
const nameOf = (key: string): string => `mcpgw:{limit}:${hash('sha256', `at-once\0${key}`, 'base64url')}`
