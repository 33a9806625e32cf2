// A key as lists show it, by its public id: those of the store, and those that stand in the config.
import { isoTime } from './commands/lifetime.ts'
import type { ConfigKey } from './config.ts'
import { describeRate, type StoredKey } from './stored-key.ts'

export interface KeyLine {
  readonly id: string
  readonly name: string
  readonly principal: string
  readonly roles: readonly string[]
  readonly tenant: string
  readonly state: 'active' | 'expired' | 'revoked' | 'disabled'
  readonly source: 'store' | 'config'
  /** ISO times, null where there is none. */
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  /** To the minute or so; null also for keys of the config. */
  readonly lastUsed: string | null
  /** `100/min`; null where the key has none of its own. */
  readonly rate: string | null
}

export function lineOfStored(key: StoredKey, usedAt: number | undefined, now: number): KeyLine {
  const { id, name, principal, roles, tenant, createdAt, expiresAt, revokedAt } = key
  const state = revokedAt !== undefined ? 'revoked' : expiresAt !== undefined && expiresAt <= now ? 'expired' : 'active'
  const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt), revokedAt: isoTime(revokedAt), lastUsed: isoTime(usedAt) }
  return {
    id,
    name,
    principal,
    roles,
    tenant,
    state,
    source: 'store',
    ...times,
    rate: key.rate === undefined ? null : describeRate(key.rate),
  }
}

export function lineOfConfig({ id, name = '', consumerId, roles, tenant, enabled }: ConfigKey): KeyLine {
  const times = { createdAt: null, expiresAt: null, revokedAt: null, lastUsed: null, rate: null }
  return { id, name, principal: consumerId, roles, tenant, state: enabled ? 'active' : 'disabled', source: 'config', ...times }
}
