// The public keys of other gateways, by their ids: written in the config, or in files that are read again when somebody asks for it.
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { Stores } from 'mcpgw/plugin'
import type { GatewayConfig } from './gateway-config.ts'
import { readPublicFile } from './key-source.ts'
import type { JsonMap } from './strict-json.ts'

/** By the id of the key (RFC 7638). */
export type GatewayKeys = ReadonlyMap<string, KeyObject>

const maxKeys = 10
const blocks = /-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g

/** By the name of the gateway. Throws, naming gateway and key, where one of them cannot be used: whoever writes keys by hand means all of them. */
export function readGatewayKeys(gateways: readonly GatewayConfig[], stores: Pick<Stores, 'resolve'>): ReadonlyMap<string, GatewayKeys> {
  const all = new Map<string, GatewayKeys>()
  const owners = new Map<string, string>()
  for (const { name, keys } of gateways) {
    const own = new Map<string, KeyObject>()
    for (const [at, given] of keys.entries()) {
      try {
        for (const key of readKeys(given, stores)) own.set(idOf(key), key)
      } catch (error) {
        throw new Error(`auth: gateways: ${name}: keys[${at}]: ${(error as Error).message}`)
      }
    }
    if (own.size > maxKeys) throw new Error(`auth: gateways: ${name}: expected at most ${maxKeys} keys, found ${own.size}`)
    for (const id of own.keys()) {
      const other = owners.get(id)
      if (other !== undefined) throw new Error(`auth: gateways: ${other} and ${name} have the same key: each could speak as the other`)
      owners.set(id, name)
    }
    all.set(name, own)
  }
  return all
}

function readKeys(given: string | JsonMap, { resolve }: Pick<Stores, 'resolve'>): readonly KeyObject[] {
  if (typeof given !== 'string') return [readJwk(given)]
  const path = given.includes('-----BEGIN ') ? undefined : resolve(given)
  try {
    const text = path === undefined ? given : readPublicFile(path).toString()
    const found = text.match(blocks) ?? []
    if (found.length === 0) throw new Error('expected the PEM of a public key')
    return found.map(readPem)
  } catch (error) {
    throw path === undefined ? error : new Error(`${path}: ${(error as Error).message}`)
  }
}

const toPublic = 'a private key: give the public one (openssl pkey -in KEY -pubout)'

function readPem(pem: string): KeyObject {
  // Invariant: Node would make the public key of it, and the private one would lie where it does not belong.
  if (pem.includes('PRIVATE KEY')) throw new Error(toPublic)
  try {
    return ofOneKind(createPublicKey(pem))
  } catch (error) {
    throw error instanceof KeyKindError ? error : new Error('expected the PEM of a public key')
  }
}

function readJwk(jwk: JsonMap): KeyObject {
  if (Object.hasOwn(jwk, 'd') || Object.hasOwn(jwk, 'k')) throw new Error(toPublic)
  const { kty, crv, x } = jwk
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') throw new KeyKindError('expected an Ed25519 key')
  return ofOneKind(createPublicKey({ key: { kty, crv, x }, format: 'jwk' }))
}

class KeyKindError extends Error {}

function ofOneKind(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ed25519') throw new KeyKindError(`expected an Ed25519 key, found ${key.asymmetricKeyType ?? 'another'}`)
  if (isWeak(key)) throw new KeyKindError('a weak key, under which anybody can sign: make another')
  return key
}

/** The points of small order, without the sign bit, as they may be written. Spec: RFC 8032, 5.1.7 does not refuse them. */
const SMALL: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

function isWeak(key: KeyObject): boolean {
  const point = Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')
  point[31]! &= 0x7f
  return SMALL.has(point.toString('hex'))
}

function idOf(key: KeyObject): string {
  const { crv, kty, x } = key.export({ format: 'jwk' })
  return hash('sha256', JSON.stringify({ crv, kty, x }), 'base64url')
}
