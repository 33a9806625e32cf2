// The keys in memory, by digest: one HMAC, one lookup and one comparison of equal lengths a request.
import { type KeyObject, timingSafeEqual } from 'node:crypto'
import { type Identify, identify, type Principal } from 'mcpgw/plugin'
import type { MethodAnswer } from './authenticate.ts'
import { digestKey } from './key.ts'

/** A key as it authenticates; `closed` says why it no longer does. */
export interface RingKey {
  readonly id: string
  readonly digest: Uint8Array
  readonly principal: Principal
  /** ms since 1970 */
  readonly expiresAt?: number
  readonly closed?: 'revoked' | 'disabled'
}

/** Facts about a principal that policies may ask for: a JSON object. */
export type Claims = Readonly<Record<string, unknown>>

/** Answers who presents `key` at `now` (ms since 1970). */
export type KeyRing = (key: string, now: number) => MethodAnswer

const unknown: MethodAnswer = Object.freeze({ kind: 'unknown' })

export function buildKeyRing(pepper: KeyObject, keys: Iterable<RingKey>): KeyRing {
  const byDigest = new Map<
    string,
    { digest: Uint8Array; known: Identify; expiresAt: number; closed?: MethodAnswer; expired: MethodAnswer }
  >()
  for (const { id, digest, principal, expiresAt, closed } of keys) {
    const name = Buffer.from(digest).toString('latin1')
    // Invariant: a key that stands in the store and in the config holds as long as both let it.
    if (byDigest.get(name)?.closed !== undefined) continue
    byDigest.set(name, {
      digest,
      known: Object.freeze(identify(principal)),
      expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
      expired: { kind: 'closed', why: `key ${id} has expired` },
      ...(closed === undefined ? {} : { closed: { kind: 'closed', why: `key ${id} is ${closed}` } as const }),
    })
  }
  return (key, now) => {
    // Invariant: nothing is compared but digests under the pepper, so neither time nor length tells anything of a key, and a stored digest is
    // no credential: presented as one it is digested again.
    const digest = digestKey(pepper, key)
    const entry = byDigest.get(digest.toString('latin1'))
    if (entry === undefined || !timingSafeEqual(entry.digest, digest)) return unknown
    if (entry.closed !== undefined) return entry.closed
    return now < entry.expiresAt ? entry.known : entry.expired
  }
}

export function makePrincipal(
  id: string,
  name: string | undefined,
  roles: readonly string[],
  tenant: string,
  via: Principal['via'],
  claims: Claims = {},
): Principal {
  return Object.freeze({
    id,
    ...(name === undefined ? {} : { name }),
    roles: Object.freeze([...roles]),
    tenant,
    claims: freezeClaims(claims) as Readonly<Record<string, unknown>>,
    via: Object.freeze(via),
  })
}

/** A copy that nobody changes, whose objects have no prototype. */
function freezeClaims(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(freezeClaims))
  const copy = Object.create(null) as Record<string, unknown>
  for (const [key, member] of Object.entries(value)) copy[key] = freezeClaims(member)
  return Object.freeze(copy)
}
