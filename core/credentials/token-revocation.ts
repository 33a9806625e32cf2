// Tells an authorization server that a token is not to be good any more, where it has a place for that.
// Spec: RFC 7009.
import { REQUEST_MS } from './authority.ts'
import { prove } from './client-proof.ts'
import type { UserToken } from './sealed.ts'
import { readObject } from './token-answer.ts'
import type { TokenRequester } from './token-request.ts'

/** `no-way`: its metadata name no place for it. `why` holds no secret. */
export type Withdrawal = { readonly kind: 'done' | 'no-way' } | { readonly kind: 'failed'; readonly why: string }

const MAX_ANSWER = 64 * 1024

/** Of the refresh token first: nothing new comes of it from then on. Never rejects. */
export async function withdraw(requester: TokenRequester, { refresh, access }: Pick<UserToken, 'refresh' | 'access'>): Promise<Withdrawal> {
  try {
    const { revoke, audience } = await requester.authority.endpoints()
    if (revoke === undefined) return { kind: 'no-way' }
    for (const [hint, token] of [
      ['refresh_token', refresh],
      ['access_token', access],
    ] as const) {
      if (token === undefined) continue
      const { client, clock, outgoing } = requester
      const proof = await prove(client, audience, clock)
      const { status, body } = await outgoing.request(revoke.url, {
        origin: revoke.origin,
        method: 'POST',
        headers: { ...proof.headers, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({ token, token_type_hint: hint, ...proof.fields }).toString(),
        timeout: REQUEST_MS,
        maxBytes: MAX_ANSWER,
      })
      if (status === 200) continue
      const error = readObject(body)?.error
      // Some take back refresh tokens alone, and what came of them.
      if (error === 'unsupported_token_type' && hint === 'access_token' && refresh !== undefined) continue
      const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` ${error}` : ''
      return { kind: 'failed', why: `${new URL(revoke.url).origin}: it answers HTTP ${status}${code}` }
    }
    return { kind: 'done' }
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) }
  }
}
