// The method "API key": stored keys and those of the config, kept in memory and in step with the store.
import type { Awaitable, Directory, PluginContext, Principal } from 'mcpgw/plugin'
import { goOn } from './at-once.ts'
import type { Method } from './authenticate.ts'
import type { AuthConfig } from './config.ts'
import { readConfigKeys } from './config-keys.ts'
import { createEndings } from './endings.ts'
import { buildKeyRing, type KeyRing, makePrincipal, nameDigest, type RingKey } from './ring.ts'
import type { StoredKey } from './store.ts'
import type { Vault } from './vault.ts'

export interface KeysMethod extends Method {
  /**
   * Takes over what changed in the store; true where something did. Keys that ended take along what is open under them. A store that cannot be
   * read identifies nobody until it can; one on a server, once it could not be for the configured time. Never rejects.
   */
  refresh(): Awaitable<boolean>
  /** Resolves when nothing is being read or recorded. */
  idle(): Promise<void>
  /** Roles and tenants of the keys that authenticate at `now`, and of `others`; undefined where the store cannot be read. */
  known(others: readonly Pick<Principal, 'roles' | 'tenant'>[], now: number): ReturnType<Directory['known']>
  /** Whom the keys stand for that authenticate at `now`. */
  principals(now: number): readonly Principal[]
}

export async function openKeysMethod(vault: Vault, ctx: PluginContext<AuthConfig>): Promise<KeysMethod> {
  const { clock, config } = ctx
  const fixed = readConfigKeys(config.apiKeys, vault.pepper)
  const outageMs = config.keys.shared ? config.keys.outage * 1000 : 0
  const endings = createEndings(ctx)
  let seen: number | undefined
  let ring: KeyRing | undefined
  let current: readonly RingKey[] = []
  /** When the store was last known to say what `ring` says; monotonic, ms. */
  let readAt = clock.mono()
  let isFailing = false
  let loading: Promise<boolean> | undefined

  const load = (): Awaitable<boolean> => {
    const began = clock.mono()
    // Invariant: the version is read before the keys, so that a write between the two is seen at the next look.
    return goOn(vault.store.version(), version =>
      goOn(version === seen && ring !== undefined ? undefined : vault.store.all(), keys => {
        readAt = began
        if (keys === undefined) return false
        current = [...fixed, ...keys.map(readStored)]
        ring = buildKeyRing(vault.pepper, current)
        endings.take(current)
        seen = version
        return true
      }),
    )
  }
  await load()

  /** Whoever's key may have been revoked since is not let in, nor kept. */
  function age(): void {
    if (!isFailing || ring === undefined || clock.mono() - readAt < outageMs) return
    ring = undefined
    if (outageMs > 0) endings.take([], 'unreadable')
    ctx.log.error('the key store cannot be read; nobody is let in by key', { store: config.keys.shared ? 'store.url' : config.keys.path })
  }

  function conclude(failure?: unknown): void {
    const wasFailing = isFailing
    isFailing = failure !== undefined
    age()
    if (!isFailing) {
      if (wasFailing) ctx.health(undefined)
      return
    }
    if (!wasFailing) ctx.log.warn('the key store cannot be read', { error: String(failure) })
    ctx.health(
      ring === undefined
        ? { status: 'failing', why: 'the key store cannot be read' }
        : { status: 'degraded', why: 'the key store cannot be read; the keys that are known count, a revoked one as well' },
    )
  }
  const succeeded = (changed: boolean): boolean => {
    conclude()
    return changed
  }
  const failed = (error: unknown): boolean => {
    conclude(error)
    return false
  }

  function refreshOnce(): Awaitable<boolean> {
    try {
      const loaded = load()
      if (!(loaded instanceof Promise)) return succeeded(loaded)
      loading = loaded.then(succeeded, failed).finally(() => {
        loading = undefined
        endings.look(clock.now())
      })
      return loading
    } catch (error) {
      return failed(error)
    }
  }

  const principals = (now: number): readonly Principal[] =>
    current
      .filter(({ closed, expiresAt }) => closed === undefined && now < (expiresAt ?? Number.POSITIVE_INFINITY))
      .map(({ principal }) => principal)

  return {
    name: 'api-key',
    identify({ value }, now) {
      if (ring === undefined) throw new Error('the key store cannot be read')
      return ring(value, now)
    },
    known(others, now) {
      if (ring === undefined) return undefined
      const all = [...principals(now), ...others]
      return { roles: distinct(all.flatMap(({ roles }) => roles)), tenants: distinct(all.map(({ tenant }) => tenant)) }
    },
    principals,
    refresh() {
      // A server may be long in answering, and keys expire meanwhile.
      age()
      const changed = loading === undefined ? refreshOnce() : false
      endings.look(clock.now())
      return changed
    },
    async idle() {
      await loading
      await endings.idle()
    },
  }
}

function readStored(key: StoredKey): RingKey {
  return {
    id: key.id,
    digest: nameDigest(key.digest),
    principal: makePrincipal(key.principal, key.name, key.roles, key.tenant, { method: 'api-key', keyId: key.id }, key.claims),
    ...(key.expiresAt === undefined ? {} : { expiresAt: key.expiresAt }),
    ...(key.revokedAt === undefined ? {} : { closed: 'revoked' as const }),
  }
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
