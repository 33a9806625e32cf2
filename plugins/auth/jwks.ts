// The keys of an issuer, fetched from it: kept for a stated time, asked for once at a time, and never because a stranger invents ids.
import type { Awaitable, Clock, Log, Outgoing, PluginContext } from 'mcpgw/plugin'
import { findJwksUri } from './discovery.ts'
import { fetchJson } from './fetch-json.ts'
import type { IssuerConfig } from './jwt-config.ts'
import { type FoundKey, type KeySet, readKeySet, type VerificationKey } from './key-set.ts'
import type { KeySource } from './key-source.ts'

export interface RemoteKeysHost {
  readonly outgoing: Outgoing
  readonly clock: Clock
  readonly log: Log
  /** State of these keys. */
  readonly health: PluginContext['health']
}

export interface RemoteKeys extends KeySource {
  /** Begins to fetch; does not wait. */
  start(): void
}

// Less than a hook may take, whatever the issuer does.
const longestWaitMs = 4000

/** `url`: where the keys are; undefined: where the issuer's metadata says. */
export function openRemoteKeys(
  config: IssuerConfig,
  url: string | undefined,
  { outgoing, clock, log, health }: RemoteKeysHost,
): RemoteKeys {
  const { issuer, algorithms } = config
  const [refreshMs, outageMs, cooldownMs, timeoutMs] = (['refresh', 'outage', 'cooldown', 'timeout'] as const).map(
    name => config.keys[name] * 1000,
  ) as [number, number, number, number]
  let set: KeySet | undefined
  /** Monotonic, ms. */
  let fetchedAt = 0
  let askedAt = Number.NEGATIVE_INFINITY
  let place = url
  let running: Promise<void> | undefined
  let failure: string | undefined
  let stopped = false
  let cancel = (): void => {}

  const get = (from: string) => fetchJson(outgoing, from, timeoutMs)

  function current(): KeySet | undefined {
    return clock.mono() - fetchedAt <= refreshMs + outageMs ? set : undefined
  }

  async function load(): Promise<void> {
    askedAt = clock.mono()
    try {
      place ??= await findJwksUri(issuer, get)
      set = await readKeySet(await get(place), algorithms)
      fetchedAt = clock.mono()
      if (failure !== undefined) log.info('the keys of an issuer are there again', { issuer })
      failure = undefined
    } catch (error) {
      const why = (error as Error).message
      if (failure === undefined) log.warn('the keys of an issuer cannot be fetched', { issuer, why })
      failure = why
      // Where they are may have changed.
      place = url
    }
  }

  function report(): void {
    if (failure === undefined) return health(undefined)
    const isUsable = current() !== undefined
    const state = isUsable
      ? `those fetched before count for ${Math.round((refreshMs + outageMs) / 1000)} s in all`
      : 'its tokens are refused'
    health({ status: isUsable ? 'degraded' : 'failing', why: `the keys of ${issuer} cannot be fetched (${failure}); ${state}` })
  }

  function refresh(): Promise<void> {
    running ??= load().then(() => {
      running = undefined
      if (stopped) return
      report()
      cancel()
      cancel = clock.after(failure === undefined ? refreshMs : cooldownMs, () => void refresh())
    })
    return running
  }

  function look(kid: string | undefined, algorithm: string): FoundKey | { readonly kind: 'unavailable'; readonly why: string } {
    return current()?.find(kid, algorithm) ?? { kind: 'unavailable', why: failure ?? 'not there yet' }
  }

  function isOver(fetching: Promise<void>): Promise<void> {
    return new Promise(resolve => {
      const giveUp = clock.after(longestWaitMs, resolve)
      void fetching.then(() => {
        giveUp()
        resolve()
      })
    })
  }

  return {
    start: () => void refresh(),
    find(kid, algorithm): Awaitable<FoundKey | { readonly kind: 'unavailable'; readonly why: string }> {
      const found = look(kid, algorithm)
      if (found.kind === 'key' || found.kind === 'ambiguous') return found
      // Invariant: whoever sends unknown ids causes one fetch in each cooldown, and waits for one that is under way.
      if (running === undefined && clock.mono() - askedAt < cooldownMs) return found
      return isOver(refresh()).then(() => look(kid, algorithm))
    },
    holds: (key: VerificationKey) => current()?.has(key) ?? false,
    reload: () => refresh(),
    stop() {
      stopped = true
      cancel()
    },
  }
}
