// The keys in memory, by digest: one HMAC, one lookup and one comparison of equal lengths a request.
import { type KeyObject, timingSafeEqual } from 'node:crypto'
import { type Identify, identify, type Principal } from 'mcpgw/plugin'
import type { MethodAnswer } from './authenticate.ts'
import { digestKey } from './key.ts'

/** A key as it authenticates; `closed` says why it no longer does. */
export interface RingKey {
  readonly id: string
  /** HMAC-SHA-256 under the pepper, one character a byte: as text it takes a third of the memory. */
  readonly digest: string
  readonly principal: Principal
  /** ms since 1970 */
  readonly expiresAt?: number
  readonly closed?: 'revoked' | 'disabled'
}

/** Facts about a principal that policies may ask for: a JSON object. */
export type Claims = Readonly<Record<string, unknown>>

/** What counts for one digest, before and after. */
export type TellChange = (before: RingKey | undefined, after: RingKey | undefined) => void

export interface KeyRing {
  /** Who presents `key` at `now` (ms since 1970). */
  identify(key: string, now: number): MethodAnswer
  /** Takes over the stored key of this id as it is now; undefined: it is gone. */
  put(id: string, key: RingKey | undefined, tell?: TellChange): void
  /** The key that counts for a digest. */
  get(digest: string): RingKey | undefined
  keys(): Iterable<RingKey>
}

const unknown: MethodAnswer = Object.freeze({ kind: 'unknown' })

/** Digests as Maps have them: one character a byte. */
export const nameDigest = (digest: Uint8Array): string => Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('latin1')

/** `fixed`: keys of the config. */
export function createKeyRing(pepper: KeyObject, fixed: readonly RingKey[]): KeyRing {
  const counting = new Map<string, { readonly key: RingKey; readonly known: Identify }>()
  const stored = new Map<string, RingKey>()
  const written = new Map(fixed.map(key => [key.digest, key]))
  const count = (digest: string, key: RingKey | undefined): void => {
    if (key === undefined) counting.delete(digest)
    else counting.set(digest, { key, known: Object.freeze(identify(key.principal)) })
  }
  for (const [digest, key] of written) count(digest, key)

  function settle(digest: string, inStore: RingKey | undefined, tell: TellChange | undefined): void {
    const before = counting.get(digest)?.key
    const inConfig = written.get(digest)
    // Invariant: a key that stands in the store and in the config holds as long as both let it.
    const after = inConfig?.closed === undefined ? (inStore ?? inConfig) : inConfig
    count(digest, after)
    tell?.(before, after)
  }

  return {
    identify(presented, now) {
      // Invariant: nothing is compared but digests under the pepper, so neither time nor length tells anything of a key, and a stored digest is
      // no credential: presented as one it is digested again.
      const digest = digestKey(pepper, presented)
      const entry = counting.get(digest.toString('latin1'))
      if (entry === undefined || !timingSafeEqual(Buffer.from(entry.key.digest, 'latin1'), digest)) return unknown
      const { id, closed, expiresAt } = entry.key
      if (closed !== undefined) return { kind: 'closed', why: `key ${id} is ${closed}` }
      return now < (expiresAt ?? Number.POSITIVE_INFINITY) ? entry.known : { kind: 'closed', why: `key ${id} has expired` }
    },
    put(id, key, tell) {
      const old = stored.get(id)
      if (key === undefined) stored.delete(id)
      else stored.set(id, key)
      // A digest may have gone over to another id meanwhile.
      if (old !== undefined && old.digest !== key?.digest && counting.get(old.digest)?.key === old) settle(old.digest, undefined, tell)
      if (key !== undefined) settle(key.digest, key, tell)
    },
    get: digest => counting.get(digest)?.key,
    *keys() {
      for (const { key } of counting.values()) yield key
    },
  }
}

export function makePrincipal(
  id: string,
  name: string | undefined,
  roles: readonly string[],
  tenant: string,
  via: Principal['via'],
  claims: Claims = {},
  rate?: Principal['rate'],
): Principal {
  return Object.freeze({
    id,
    ...(name === undefined ? {} : { name }),
    roles: roles.length === 0 ? noRoles : Object.freeze([...roles]),
    tenant,
    claims: Object.keys(claims).length === 0 ? noClaims : (freezeClaims(claims) as Claims),
    via: Object.freeze(via),
    ...(rate && { rate: Object.freeze(rate) }),
  })
}

// Most keys have neither, and there may be many keys.
const noRoles: readonly string[] = Object.freeze([])
const noClaims: Claims = Object.freeze(Object.create(null) as Claims)

/** A copy that nobody changes, whose objects have no prototype. */
function freezeClaims(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(freezeClaims))
  const copy = Object.create(null) as Record<string, unknown>
  for (const [key, member] of Object.entries(value)) copy[key] = freezeClaims(member)
  return Object.freeze(copy)
}
