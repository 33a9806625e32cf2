// Connections to remote servers: one undici pool per origin, so that lanes share sockets but never credentials.
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Dispatcher, Pool } from 'undici'
import { checkedLookup } from '../../outgoing/outgoing.ts'
import { isPublicAddress } from '../../outgoing/public-address.ts'

export interface Dialer {
  pool(url: URL): Promise<Dispatcher>
  close(): Promise<void>
}

/** Names that lead to an address that is not on the public internet lead nowhere. */
export function createPublicDialer(): Dialer {
  return createDialer(checkedLookup(lookup, isPublicAddress))
}

export function createDialer(lookUp?: LookupFunction): Dialer {
  const pools = new Map<string, Promise<Pool>>()
  return {
    pool(url) {
      let pool = pools.get(url.origin)
      if (pool === undefined) {
        // Time limits are the lane's, per call: undici's own (300 s) would cut long calls and idle streams.
        const connect = lookUp === undefined ? {} : { connect: { lookup: lookUp } }
        const limits = { headersTimeout: 0, bodyTimeout: 0, connectTimeout: 10_000, pipelining: 1 }
        pool = importPool().then(Pool => new Pool(url.origin, { ...limits, ...connect }))
        pools.set(url.origin, pool)
      }
      return pool
    },
    async close() {
      await Promise.all([...pools.values()].map(async pool => (await pool).destroy()))
      pools.clear()
    },
  }
}

/** The whole of undici (fetch, WebSocket, caches) takes three times as long to load as its pool; the version is pinned. */
async function importPool(): Promise<typeof Pool> {
  const file = 'undici/lib/dispatcher/pool.js'
  return ((await import(file)) as { readonly default: typeof Pool }).default
}
