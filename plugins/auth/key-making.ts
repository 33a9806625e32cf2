// How keys are made, replaced and ended, whoever asks for it: a command, or a caller of the gateway.
import type { Operator, Rate } from 'mcpgw/plugin'
import { isoTime } from './commands/lifetime.ts'
import { digestKey, mintKey } from './key.ts'
import { describeRate, type StoredKey } from './stored-key.ts'
import type { Vault } from './vault.ts'

export interface Wish extends Pick<StoredKey, 'name' | 'principal' | 'roles' | 'tenant' | 'claims'> {
  /** For ever where it is absent. */
  readonly lifeMs?: number | undefined
  /** `of`: of whose it is a part; its own where that is absent. */
  readonly rate?: (Omit<Rate, 'of'> & Partial<Pick<Rate, 'of'>>) | undefined
}

/** A key, the one time that it is known. */
export interface NewKey extends Omit<Wish, 'lifeMs' | 'rate'> {
  readonly id: string
  readonly key: string
  readonly createdAt: number
  readonly expiresAt?: number | undefined
  readonly rate?: Rate
}

export async function makeKey({ store, pepper }: Vault, wish: Wish, now: number, by: Operator): Promise<NewKey> {
  const made = mint(wish, now)
  await store.create(storable(made, pepper), by)
  return made
}

export interface Replacing {
  readonly overlapMs: number
  /** As long as the old one was to hold where it is absent. */
  readonly lifeMs?: number | undefined
  /** Only a key of this one. */
  readonly tenant?: string | undefined
  /** Whether the new key may be given away. */
  mayHave?(old: StoredKey): boolean
}
/** `ended`: it does not hold any more. `beyond`: it may not be given to whoever asks. */
export type Replaced =
  | { readonly kind: 'replaced'; readonly made: NewKey; readonly until: number }
  | { readonly kind: 'unknown' | 'ended' | 'beyond' }

export async function replaceKey({ store, pepper }: Vault, old: string, how: Replacing, now: number, by: Operator): Promise<Replaced> {
  const { overlapMs, lifeMs, tenant, mayHave } = how
  const before = await store.find(old)
  if (before === undefined || before.tenant !== (tenant ?? before.tenant)) return { kind: 'unknown' }
  if (mayHave?.(before) === false) return { kind: 'beyond' }
  const { name, principal, roles, claims, createdAt, expiresAt, revokedAt, rate } = before
  if (revokedAt !== undefined || (expiresAt ?? Number.POSITIVE_INFINITY) <= now) return { kind: 'ended' }
  const life = lifeMs ?? (expiresAt === undefined ? undefined : expiresAt - createdAt)
  const until = Math.min(now + overlapMs, expiresAt ?? Number.POSITIVE_INFINITY)
  const made = mint({ name, principal, roles, tenant: before.tenant, claims, lifeMs: life, rate }, now)
  return (await store.rotate(old, storable(made, pepper), until, by, tenant)) ? { kind: 'replaced', made, until } : { kind: 'ended' }
}

/** As it is shown, this once. */
export function describeNew({ createdAt, expiresAt, rate, ...made }: NewKey): Omit<NewKey, 'createdAt' | 'expiresAt' | 'rate'> & {
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly rate: string | null
} {
  const times = { createdAt: new Date(createdAt).toISOString(), expiresAt: isoTime(expiresAt) }
  return { ...made, ...times, rate: rate === undefined ? null : describeRate(rate) }
}

function mint({ lifeMs, rate, ...wish }: Wish, now: number): NewKey {
  const minted = mintKey()
  const expiry = lifeMs === undefined ? {} : { expiresAt: now + lifeMs }
  return { ...minted, ...wish, createdAt: now, ...expiry, ...(rate && { rate: { of: minted.id, ...rate } }) }
}

function storable({ key, expiresAt, ...made }: NewKey, pepper: Vault['pepper']): StoredKey {
  return { ...made, digest: digestKey(pepper, key), ...(expiresAt !== undefined && { expiresAt }) }
}
