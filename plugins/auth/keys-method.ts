// The method "API key": stored keys and those of the config, kept in memory and in step with the store.
import type { Awaitable, Directory, PluginContext, Principal } from 'mcpgw/plugin'
import type { Method } from './authenticate.ts'
import type { AuthConfig } from './config.ts'
import { readConfigKeys } from './config-keys.ts'
import { createEndings } from './endings.ts'
import { createKeptKeys } from './kept-keys.ts'
import { createLastUse } from './last-use.ts'
import type { Vault } from './vault.ts'

export interface KeysMethod extends Method {
  /**
   * Takes over what changed in the store; true where something did. Keys that ended take along what is open under them. A store that cannot be
   * read identifies nobody until it can; one on a server, once it could not be for the configured time. Never rejects.
   */
  refresh(): Awaitable<boolean>
  /** Writes what is left to be written, and resolves when nothing is being read or recorded. */
  close(): Promise<void>
  /** Roles and tenants of the keys that authenticate at `now`, and of `others`; undefined where the store cannot be read. */
  known(others: readonly Pick<Principal, 'roles' | 'tenant'>[], now: number): ReturnType<Directory['known']>
  hasKey: Directory['hasKey']
  /** Whom the keys stand for that authenticate at `now`. */
  principals(now: number): readonly Principal[]
}

export async function openKeysMethod(vault: Vault, ctx: PluginContext<AuthConfig>): Promise<KeysMethod> {
  const { clock, config } = ctx
  const fixed = readConfigKeys(config.apiKeys, vault.pepper)
  const outageMs = config.keys.shared ? config.keys.outage * 1000 : 0
  const endings = createEndings(ctx)
  const kept = createKeptKeys(vault, fixed, endings, clock)
  const lastUse = createLastUse(vault.store, ctx.log, clock)
  let isFailing = false
  let loading: Promise<boolean> | undefined
  await kept.refresh()

  /** Whoever's key may have been revoked since is not let in, nor kept. */
  function age(): void {
    if (!isFailing || kept.ring === undefined || clock.mono() - kept.readAt < outageMs) return
    kept.distrust(outageMs > 0 ? 'ends' : 'stays')
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
      kept.ring === undefined
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
      const loaded = kept.refresh()
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
    [...(kept.ring?.keys() ?? [])]
      .filter(({ closed, expiresAt }) => closed === undefined && now < (expiresAt ?? Number.POSITIVE_INFINITY))
      .map(({ principal }) => principal)

  return {
    name: 'api-key',
    identify({ value }, now) {
      if (kept.ring === undefined) throw new Error('the key store cannot be read')
      const answer = kept.ring.identify(value, now)
      if (answer.kind === 'identify') lastUse.note(answer.principal.via.keyId!, now)
      return answer
    },
    known(others, now) {
      if (kept.ring === undefined) return undefined
      const all = [...principals(now), ...others]
      return { roles: distinct(all.flatMap(({ roles }) => roles)), tenants: distinct(all.map(({ tenant }) => tenant)) }
    },
    hasKey(id) {
      const { ring } = kept
      return ring && [...ring.keys()].some(key => key.id === id)
    },
    principals,
    refresh() {
      // A server may be long in answering, and keys expire meanwhile.
      age()
      const changed = loading === undefined ? refreshOnce() : false
      endings.look(clock.now())
      lastUse.look()
      return changed
    },
    async close() {
      await loading
      await endings.idle()
      await lastUse.close()
    },
  }
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
