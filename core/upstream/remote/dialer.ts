// Connections to remote servers: one undici pool per origin, so that lanes share sockets but never credentials.
import type { Dispatcher, Pool } from 'undici'

export interface Dialer {
  pool(url: URL): Promise<Dispatcher>
  close(): Promise<void>
}

export function createDialer(): Dialer {
  const pools = new Map<string, Promise<Pool>>()
  return {
    pool(url) {
      let pool = pools.get(url.origin)
      if (pool === undefined) {
        // Time limits are the lane's, per call: undici's own (300 s) would cut long calls and idle streams.
        pool = importPool().then(Pool => new Pool(url.origin, { headersTimeout: 0, bodyTimeout: 0, connectTimeout: 10_000, pipelining: 1 }))
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
