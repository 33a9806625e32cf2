// The method "API key": stored keys and those of the config, kept in memory and in step with the store.
import type { Directory, PluginContext, Principal } from 'mcpgw/plugin'
import type { Method } from './authenticate.ts'
import type { AuthConfig } from './config.ts'
import { readConfigKeys } from './config-keys.ts'
import { createEndings } from './endings.ts'
import { buildKeyRing, type KeyRing, makePrincipal, type RingKey } from './ring.ts'
import type { StoredKey } from './store.ts'
import type { Vault } from './vault.ts'

export interface KeysMethod extends Method {
  /** Takes over what changed in the store; true where something did. A store that cannot be read identifies nobody until it can. Keys that ended take along what is open under them. */
  refresh(): boolean
  /** Resolves when nothing is being recorded. */
  idle(): Promise<void>
  /** Roles and tenants of the keys that authenticate at `now`, and of `others`; undefined where the store cannot be read. */
  known(others: readonly Principal[], now: number): ReturnType<Directory['known']>
}

export function createKeysMethod(vault: Vault, ctx: PluginContext<AuthConfig>): KeysMethod {
  const fixed = readConfigKeys(ctx.config.apiKeys, vault.pepper)
  let seen: number | undefined
  let ring: KeyRing | undefined
  let current: readonly RingKey[] = []
  const endings = createEndings(ctx)

  const load = (): boolean => {
    // Invariant: the version is read before the keys, so that a write between the two is seen at the next look.
    const version = vault.store.version()
    if (version === seen && ring !== undefined) return false
    current = [...fixed, ...vault.store.all().map(readStored)]
    ring = buildKeyRing(vault.pepper, current)
    endings.take(current)
    seen = version
    return true
  }
  load()

  return {
    name: 'api-key',
    identify({ value }, now) {
      if (ring === undefined) throw new Error('the key store cannot be read')
      return ring(value, now)
    },
    known(others, now) {
      if (ring === undefined) return undefined
      const open = current.filter(({ closed, expiresAt }) => closed === undefined && now < (expiresAt ?? Number.POSITIVE_INFINITY))
      const principals = [...open.map(({ principal }) => principal), ...others]
      return { roles: distinct(principals.flatMap(({ roles }) => roles)), tenants: distinct(principals.map(({ tenant }) => tenant)) }
    },
    refresh() {
      const wasFailing = ring === undefined
      let changed = false
      try {
        changed = load()
        if (wasFailing) ctx.health(undefined)
      } catch (error) {
        ring = undefined
        if (!wasFailing) ctx.log.error('the key store cannot be read; nobody is let in by key', { error: String(error) })
        ctx.health({ status: 'failing', why: 'the key store cannot be read' })
      }
      endings.look(ctx.clock.now())
      return changed
    },
    idle: () => endings.idle(),
  }
}

function readStored(key: StoredKey): RingKey {
  return {
    id: key.id,
    digest: key.digest,
    principal: makePrincipal(key.principal, key.name, key.roles, key.tenant, { method: 'api-key', keyId: key.id }, key.claims),
    ...(key.expiresAt === undefined ? {} : { expiresAt: key.expiresAt }),
    ...(key.revokedAt === undefined ? {} : { closed: 'revoked' as const }),
  }
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
