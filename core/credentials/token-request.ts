// One request to a token endpoint, whatever the grant.
import type { OAuthClient } from '../config/schema.ts'
import type { Clock, Outgoing } from '../plugin/index.ts'
import { type Authority, REQUEST_MS } from './authority.ts'
import { prove } from './client-proof.ts'
import { readTokenAnswer, type Token } from './token-answer.ts'
import { TokenFailure } from './token-keeper.ts'

export interface TokenRequester {
  readonly client: OAuthClient
  readonly authority: Authority
  readonly outgoing: Outgoing
  readonly clock: Clock
}

const MAX_ANSWER = 64 * 1024

/** `fields`: what the grant needs beside the client's own. Rejects with a TokenFailure, or an Error whose message holds no secret. */
export async function requestToken(requester: TokenRequester, fields: Readonly<Record<string, string>>): Promise<Token> {
  const { client, authority, outgoing, clock } = requester
  const { token: endpoint, audience } = await authority.endpoints()
  const proof = await prove(client, audience, clock)
  const answer = await outgoing.request(endpoint.url, {
    origin: endpoint.origin,
    method: 'POST',
    headers: { ...proof.headers, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ ...fields, ...proof.fields }).toString(),
    timeout: REQUEST_MS,
    maxBytes: MAX_ANSWER,
  })
  const token = readTokenAnswer(answer)
  if (!('why' in token)) return token
  // The endpoint may have moved.
  if (token.error === undefined) authority.forget()
  throw new TokenFailure(`${new URL(endpoint.url).origin}: ${token.why}`, { error: token.error, retryAfterMs: token.retryAfterMs })
}

/** What the token is for. */
export function aboutToken({ scopes = [], resource, audience }: OAuthClient): Record<string, string> {
  return {
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(resource !== undefined && { resource }),
    ...(audience !== undefined && { audience }),
  }
}
