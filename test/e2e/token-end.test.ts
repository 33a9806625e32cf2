// What a token opened over real HTTP ends with it: the standing stream and the session, within a second, while whoever has a newer token goes on.
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { makeKey, signText } from '../plugins/auth/tokens.ts'
import { createFolder, isBuilt, type Product, startProduct } from './product.ts'
import { codeOf, initialize, openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

const issuer = 'https://login.example'
const key = makeKey('k1')

/** `seconds`: from now on. */
function tokenFor(sub: string, seconds: number): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, aud: 'gateway', sub, iat: now - 5, exp: now + seconds, jti: `${sub}-${seconds}` }
  return signText(key, JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' }), JSON.stringify(claims))
}

async function listen(product: Product, sessionId: string, token: string): Promise<IncomingMessage> {
  const headers = { accept: 'text/event-stream', 'mcp-session-id': sessionId, authorization: `Bearer ${token}` }
  const [response] = (await once(get(`${product.origin}/mcp`, { headers, agent: false }), 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  return response.resume()
}

describe.skipIf(!isBuilt)('a stream that a token opened', () => {
  test('ends with the last token of its caller, and not before', { timeout: 60_000 }, async () => {
    const auth = { jwt: [{ issuer, audience: 'gateway', leeway: 0, jwks: { keys: [key.jwk] } }] }
    const product = await startProduct({
      dir: createFolder(),
      config: { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', { auth }] },
    })
    const short = tokenFor('ann', 4)
    const ann = await openSession(product.origin, ['Authorization', `Bearer ${short}`])
    const bob = await openSession(product.origin, ['Authorization', `Bearer ${tokenFor('bob', 4)}`])
    const annStream = await listen(product, ann.id, short)
    const bobStream = await listen(product, bob.id, tokenFor('bob', 600))

    await once(annStream, 'close')
    const headers = (token: string, id: string) => [
      'Authorization',
      `Bearer ${token}`,
      'Mcp-Session-Id',
      id,
      'Mcp-Protocol-Version',
      '2025-11-25',
    ]
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    expect((await post(product.origin, ping, { headers: headers(tokenFor('ann', 600), ann.id) })).status).toBe(404)
    const expired = await post(product.origin, initialize(), { headers: ['Authorization', `Bearer ${short}`] })
    expect([expired.status, codeOf(expired.messages[0])]).toEqual([401, 'bad-credential'])
    expect((await post(product.origin, ping, { headers: headers(tokenFor('bob', 600), bob.id) })).status).toBe(200)
    expect(bobStream.closed).toBe(false)
    bobStream.destroy()
    await product.stop()
  })
})
