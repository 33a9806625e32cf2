// What one gateway tells another with each request: for whom it asks, and that it asks just this, signed. A compact JWS (RFC 7515) of EdDSA (RFC 8037).
import { hash, randomBytes, sign } from 'node:crypto'
import { CALLER } from '../mcp/caller.ts'
import type { SignedRequest } from '../upstream/remote/credential.ts'
import type { GatewayKey } from './gateway-key.ts'
import type { Voice } from './voice.ts'

export interface Statement {
  readonly as: string
  readonly audience: string
  /** Undefined: this gateway itself. */
  readonly voice: Voice | undefined
  readonly traceparent: string | undefined
  readonly request: SignedRequest
  /** Milliseconds since 1970. */
  readonly now: number
}

const LIFE_MS = 30_000

export function writeCaller({ key, id }: GatewayKey, { as, audience, voice, traceparent, request, now }: Statement): string {
  const { method, path, headers, body } = request
  const header = { alg: 'EdDSA', typ: CALLER.type, kid: id }
  const payload = {
    iss: as,
    aud: audience,
    iat: now / 1000,
    exp: (now + LIFE_MS) / 1000,
    jti: randomBytes(16).toString('base64url'),
    ...(voice !== undefined && { sub: voice.id, tenant: voice.tenant, roles: voice.roles }),
    via: voice?.via ?? [],
    method,
    path,
    body: hash('sha256', body, 'base64url'),
    // Neither is in the body, and each says what the request is about.
    session: headers['mcp-session-id'],
    event: headers['last-event-id'],
    traceparent,
  }
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
