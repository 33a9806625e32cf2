// An authorization server as the gateway knows it: as configured, or by the metadata of its issuer.
// Spec: RFC 8414, 3; OpenID Connect Discovery 1.0, 4.
import type { OAuthClient } from '../config/schema.ts'
import type { Clock, Outgoing, OutgoingRequest } from '../plugin/index.ts'
import { readObject } from './token-answer.ts'

/** Where to go, and who said so. */
export interface Endpoint {
  readonly url: string
  readonly origin: OutgoingRequest['origin']
}

export interface Endpoints {
  readonly token: Endpoint
  /** Whom an assertion is for. */
  readonly audience: string
  /** Where users are sent; undefined where there is no such place. */
  readonly authorize?: string
  /** RFC 7009: where tokens are taken back; undefined where there is no such place. */
  readonly revoke?: Endpoint
  /** RFC 9207: its answers to users' visits say who it is. */
  readonly saysIssuer?: boolean
}

export interface Authority {
  /** Rejects with an Error whose message holds no secret. */
  endpoints(): Promise<Endpoints>
  /** What was found may be out of date: asked again for the next token. */
  forget(): void
}

export const REQUEST_MS = 10_000
const MAX_METADATA = 256 * 1024
const KEPT_MS = 3_600_000

export function createAuthority(client: Pick<OAuthClient, 'token' | 'issuer'>, outgoing: Outgoing, clock: Clock): Authority {
  const { token, issuer } = client
  if (token !== undefined) {
    const fixed: Endpoints = { token: { url: token, origin: 'configured' }, audience: token }
    return { endpoints: async () => fixed, forget() {} }
  }
  const named = issuer ?? ''
  let found: Endpoints | undefined
  let until = 0
  return {
    async endpoints() {
      if (found !== undefined && clock.mono() < until) return found
      found = await discover(named, outgoing)
      until = clock.mono() + KEPT_MS
      return found
    },
    forget() {
      found = undefined
    },
  }
}

async function discover(issuer: string, outgoing: Outgoing): Promise<Endpoints> {
  let why = ''
  for (const url of metadataUrls(issuer)) {
    const { status, body } = await outgoing.request(url, { origin: 'configured', timeout: REQUEST_MS, maxBytes: MAX_METADATA })
    const metadata = status === 200 ? readObject(body) : undefined
    if (metadata !== undefined) return readMetadata(issuer, metadata)
    why = status === 200 ? 'not a JSON object' : `HTTP ${status}`
  }
  throw new Error(`${new URL(issuer).origin}: no metadata of an authorization server (${why})`)
}

/** Spec: MCP authorization, "Authorization Server Metadata Discovery": in this order. */
export function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '')
  const names = ['oauth-authorization-server', 'openid-configuration'].map(name => `${origin}/.well-known/${name}${path}`)
  return path === '' ? names : [...names, `${origin}${path}/.well-known/openid-configuration`]
}

function readMetadata(issuer: string, metadata: Readonly<Record<string, unknown>>): Endpoints {
  // Invariant: RFC 8414, 3.3: metadata that speak of another issuer are not used.
  if (metadata.issuer !== issuer) throw new Error(`${new URL(issuer).origin}: its metadata are of another issuer`)
  const { authorization_endpoint: authorize, code_challenge_methods_supported: methods } = metadata
  const isUsable = typeof authorize === 'string' && isBrowsable(authorize, issuer) && (!Array.isArray(methods) || methods.includes('S256'))
  return {
    token: endpointOf(issuer, metadata, 'token_endpoint'),
    audience: issuer,
    ...(isUsable && { authorize }),
    ...(isUrl(metadata.revocation_endpoint) && { revoke: endpointOf(issuer, metadata, 'revocation_endpoint') }),
    saysIssuer: metadata.authorization_response_iss_parameter_supported === true,
  }
}

/** What stands at the issuer's own origin is the operator's choice; anything else is a discovery, and reached as one. */
function endpointOf(issuer: string, metadata: Readonly<Record<string, unknown>>, key: string): Endpoint {
  const url = metadata[key]
  if (!isUrl(url)) throw new Error(`${new URL(issuer).origin}: its metadata name no ${key}`)
  return { url, origin: new URL(url).origin === new URL(issuer).origin ? 'configured' : 'discovered' }
}

function isUrl(url: unknown): url is string {
  return typeof url === 'string' && url.length <= 2048 && URL.canParse(url)
}

/** A person is sent there: by https, or at the issuer's own origin. */
function isBrowsable(url: string, issuer: string): boolean {
  if (!isUrl(url)) return false
  const { protocol, username, password, origin } = new URL(url)
  return username === '' && password === '' && (protocol === 'https:' || origin === new URL(issuer).origin)
}
