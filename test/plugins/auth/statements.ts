// Statements of another gateway, good and bad, as that one or a forger would make them; and requests that they are held against.
import { generateKeyPairSync, hash, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { Peer, PeerRequest } from 'mcpgw/plugin'
import { httpPeer, startOfTests } from './gateway.ts'

export interface GatewayPair {
  readonly privateKey: KeyObject
  readonly pem: string
  readonly jwk: Readonly<Record<string, unknown>>
  readonly id: string
}

export function makePair(): GatewayPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { crv, kty, x } = publicKey.export({ format: 'jwk' })
  return {
    privateKey,
    pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    jwk: { crv, kty, x },
    id: hash('sha256', JSON.stringify({ crv, kty, x }), 'base64url'),
  }
}

export const hub = 'https://hub.example/mcp'
/** Long after the start. */
export const now = startOfTests + 3_600_000

export interface Sent {
  readonly method?: string
  readonly target?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}'

/** What the other side sees. */
export function peerOf(
  statement: string | readonly string[],
  { method = 'POST', target = '/mcp', body = call, headers = {} }: Sent = {},
): Peer {
  const request: PeerRequest = { method, target, digest: hash('sha256', body, 'base64url') }
  return httpPeer({ ...headers, 'mcpgw-caller': statement }, { path: target.split('?')[0]!, request })
}

type Fields = Readonly<Record<string, unknown>>

/** An entry that is undefined is left out. */
export function makeStatement(pair: GatewayPair, claims: Fields = {}, header: Fields = {}): string {
  return signStatement(
    pair,
    JSON.stringify({ alg: 'EdDSA', typ: 'mcpgw-caller+jwt', kid: pair.id, ...header }),
    JSON.stringify({ ...goodClaims(), ...claims }),
  )
}

export const goodClaims = () => ({
  iss: 'edge',
  aud: hub,
  iat: now / 1000,
  exp: now / 1000 + 30,
  jti: randomBytes(16).toString('base64url'),
  sub: 'ann',
  tenant: 'acme',
  roles: ['reader', 'root'],
  via: [] as readonly string[],
  method: 'POST',
  path: '/mcp',
  body: hash('sha256', call, 'base64url'),
})

export function signStatement({ privateKey }: GatewayPair, header: string, payload: string): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
}
