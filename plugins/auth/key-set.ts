// A set of public keys (JWKS) as it is used: only keys that sign, each bound to its algorithms, found by id.
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import type { Algorithm } from './jwt-config.ts'
import { isMap, type JsonMap, memberOf } from './strict-json.ts'

export interface VerificationKey {
  readonly kid: string | undefined
  /** Tells the same key again, in whatever set it is: under another id, or for other algorithms, it is another one. */
  readonly mark: string
  readonly algorithms: readonly Algorithm[]
  /** The key for one of its algorithms. */
  bind(algorithm: Algorithm): Promise<CryptoKey>
}

export type FoundKey =
  | { readonly kind: 'key'; readonly key: VerificationKey }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ambiguous' }

export interface KeySet {
  readonly size: number
  /** Without a `kid` in the token the algorithm must tell the key. */
  find(kid: string | undefined, algorithm: string): FoundKey
  has(key: VerificationKey): boolean
  /** What of the document is not used, and why; quotes ids of keys at most. */
  readonly unused: readonly string[]
}

const maxKeys = 100
const unknown: FoundKey = Object.freeze({ kind: 'unknown' })
const ambiguous: FoundKey = Object.freeze({ kind: 'ambiguous' })

/** Rejects, in a few words, where it is no key set or no key of it can be used. */
export async function readKeySet(document: JsonMap, allowed: readonly Algorithm[]): Promise<KeySet> {
  const list = memberOf(document, 'keys')
  if (!Array.isArray(list)) throw new Error('expected a list "keys"')
  if (list.length > maxKeys) throw new Error(`expected at most ${maxKeys} keys, found ${list.length}`)
  const keys: VerificationKey[] = []
  const unused: string[] = []
  for (const [at, jwk] of list.entries()) {
    const read = await readKey(jwk, allowed)
    if ('why' in read) unused.push(`keys[${at}]: ${read.why}`)
    else keys.push(read)
  }
  if (keys.length === 0) throw new Error(`no key that can be used${unused.length === 0 ? '' : ` (${unused.slice(0, 3).join('; ')})`}`)
  return build(keys, unused)
}

function build(keys: readonly VerificationKey[], unused: readonly string[]): KeySet {
  const byId = new Map<string | undefined, VerificationKey[]>()
  for (const key of keys) byId.set(key.kid, [...(byId.get(key.kid) ?? []), key])
  const marks = new Set(keys.map(({ mark }) => mark))
  return {
    size: keys.length,
    unused,
    find(kid, algorithm) {
      const among = kid === undefined ? keys : (byId.get(kid) ?? [])
      const [key, ...others] = among.filter(({ algorithms }) => algorithms.some(one => one === algorithm))
      if (key === undefined) return unknown
      return others.length > 0 ? ambiguous : { kind: 'key', key }
    },
    has: key => marks.has(key.mark),
  }
}

async function readKey(jwk: unknown, allowed: readonly Algorithm[]): Promise<VerificationKey | { readonly why: string }> {
  if (!isMap(jwk)) return { why: 'no key' }
  // Invariant: a key that can sign, or that both sides share, proves nothing of who signed.
  for (const name of ['d', 'k', 'p', 'q', 'priv']) if (Object.hasOwn(jwk, name)) return { why: 'a private or shared key' }
  const kid = memberOf(jwk, 'kid')
  if (kid !== undefined && typeof kid !== 'string') return { why: 'an id that is no text' }
  const use = memberOf(jwk, 'use')
  if (use !== undefined && use !== 'sig') return { why: 'not for signatures' }
  const operations = memberOf(jwk, 'key_ops')
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return { why: 'not for signatures' }
  const material = readMaterial(jwk)
  if ('why' in material) return material
  const fits = narrow(material.fits, memberOf(jwk, 'alg')).filter(one => allowed.includes(one))
  const [first] = fits
  if (first === undefined) return { why: 'none of the algorithms' }
  const bound = new Map<Algorithm, Promise<CryptoKey>>()
  const bind = (algorithm: Algorithm): Promise<CryptoKey> => {
    let key = bound.get(algorithm)
    if (key === undefined) {
      key = importJWK(material.jwk, algorithm, { extractable: false }) as Promise<CryptoKey>
      bound.set(algorithm, key)
    }
    return key
  }
  try {
    await bind(first)
    const mark = JSON.stringify([kid ?? null, await calculateJwkThumbprint(material.jwk, 'sha256'), fits])
    return { kid, mark, algorithms: fits, bind }
  } catch {
    return { why: 'a key that cannot be read' }
  }
}

const curves: Readonly<Record<string, Algorithm>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }
const minModulusBytes = 256

/** Only what makes the key: certificates and addresses beside it are left out. */
function readMaterial(jwk: JsonMap): { readonly jwk: JWK; readonly fits: readonly Algorithm[] } | { readonly why: string } {
  const { kty, n, e, crv, x, y } = { ...jwk }
  if (kty === 'RSA' && typeof n === 'string' && typeof e === 'string') {
    const modulus = Buffer.from(n, 'base64url')
    const bytes = modulus.length - modulus.findIndex(byte => byte !== 0)
    if (bytes < minModulusBytes) return { why: 'an RSA key of fewer than 2048 bits' }
    return { jwk: { kty, n, e }, fits: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] }
  }
  if (kty === 'EC' && typeof crv === 'string' && Object.hasOwn(curves, crv) && typeof x === 'string' && typeof y === 'string')
    return { jwk: { kty, crv, x, y }, fits: [curves[crv]!] }
  if (kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string') return { jwk: { kty, crv, x }, fits: ['EdDSA', 'Ed25519'] }
  return { why: 'a kind of key that is not used' }
}

function narrow(fits: readonly Algorithm[], alg: unknown): readonly Algorithm[] {
  if (alg === undefined || (alg === 'EdDSA' && fits.includes('EdDSA'))) return fits
  return fits.filter(one => one === alg)
}
