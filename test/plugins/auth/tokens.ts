// Makes tokens, good and bad, as an issuer or a forger would: header and payload to the byte.
import { createHmac, generateKeyPairSync, type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto'
import { startOfTests } from './gateway.ts'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
  /** As the issuer publishes it. */
  readonly jwk: Readonly<Record<string, unknown>>
}

export function makeKey(kid: string, alg: 'ES256' | 'RS256' | 'EdDSA' = 'ES256'): SigningKey {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519')
  return { kid, alg, privateKey: pair.privateKey, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

export const issuer = 'https://login.example'
export const audience = 'https://gw.example/mcp'
const nowSeconds = startOfTests / 1000

export const goodClaims = {
  iss: issuer,
  aud: audience,
  sub: 'user-1',
  iat: nowSeconds - 10,
  exp: nowSeconds + 600,
  jti: 'token-1',
} as const

type Fields = Readonly<Record<string, unknown>>

/** An entry that is undefined is left out. */
export function makeToken(key: SigningKey, claims: Fields = {}, header: Fields = {}): string {
  return signText(
    key,
    JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }),
    JSON.stringify({ ...goodClaims, ...claims }),
  )
}

export function signText(key: SigningKey, header: string, payload: string): string {
  const input = `${encode(header)}.${encode(payload)}`
  const how: SignKeyObjectInput = { key: key.privateKey, dsaEncoding: 'ieee-p1363' }
  return `${input}.${sign(key.alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), how).toString('base64url')}`
}

/** What a forger makes who knows the public key alone, and hopes that it is taken for a secret. */
export function signWithSecret(secret: string, header: Fields, claims: Fields = {}): string {
  const input = `${encode(JSON.stringify({ typ: 'at+jwt', ...header }))}.${encode(JSON.stringify({ ...goodClaims, ...claims }))}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}
