// A gateway that gets its own token for a server: what the server sees, what the caller sees, and what happens where there is none.
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { OAuthClient, RemoteServer } from '../../../core/config/schema.ts'
import { createHealth } from '../../../core/health.ts'
import { createMetrics } from '../../../core/metrics.ts'
import { call, connectHttp } from '../data-plane/clients.ts'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { type HttpUpstreamOptions, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { realClock } from '../upstream/manual-clock.ts'
import { type FakeAuthority, startFakeAuthority } from './fake-authority.ts'

const opened = closeAfterEach()
const SECRET = 'client secret+/=%'
const authorityOf = async (...given: Parameters<typeof startFakeAuthority>) => opened(await startFakeAuthority(...given))
let seen: string[] = []
afterEach(() => {
  seen = []
})

/** A server that takes the last token that was made, and no other. */
async function start(authority: FakeAuthority, client: Partial<OAuthClient> = {}, more: HttpUpstreamOptions & Partial<RemoteServer> = {}) {
  const upstream = opened(
    await startHttpUpstream({
      stream: true,
      ...more,
      intercept(request, response, body) {
        seen.push(`${request.method} ${request.headers.authorization}`)
        if (more.intercept?.(request, response, body)) return true
        if (request.headers.authorization === `Bearer ${authority.made.at(-1)}`) return false
        response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end('{"error":"invalid_token"}')
        return true
      },
    }),
  )
  const oauth: OAuthClient = {
    clientId: 'mcpgw',
    clientSecret: SECRET,
    ...(client.issuer === undefined && { token: authority.token }),
    ...client,
  }
  const metrics = createMetrics()
  const health = createHealth({ clock: realClock })
  const gateway = opened(
    await startTestGateway({
      servers: [upstream.server('up', { auth: { oauth }, ...(more.protocol && { protocol: more.protocol }) })],
      metrics,
      health,
    }),
  )
  return {
    upstream,
    gateway,
    metrics,
    health,
    client: await connectHttp(gateway, { capabilities: '{"roots":{}}', headers: { authorization: 'Bearer CALLERS' } }),
  }
}

it('one token is fetched for all, and stands on every request to the server; nothing of the caller does', async () => {
  const authority = await authorityOf()
  const { client, upstream, metrics, gateway } = await start(authority, {
    scopes: ['a', 'b'],
    resource: 'https://up.example/mcp',
    audience: 'up',
  })
  await client.ask('tools/list')
  await Promise.all(Array.from({ length: 20 }, (_, i) => client.post(call(i + 10, 'up__echo'))))
  await upstream.listening()
  await client.end()
  await until(() => upstream.deleted.length > 0)
  expect(authority.asked.map(({ form }) => [...form])).toEqual([
    [
      ['grant_type', 'client_credentials'],
      ['scope', 'a b'],
      ['resource', 'https://up.example/mcp'],
      ['audience', 'up'],
    ],
  ])
  expect([...new Set(seen)].sort()).toEqual(['DELETE', 'GET', 'POST'].map(method => `${method} Bearer ${authority.made[0]}`))
  for (const { rawHeaders } of upstream.requests) expect(rawHeaders.join()).not.toContain('CALLERS')
  expect(metrics.render()).toContain('mcpgw_server_tokens_total{server="up",mode="oauth",outcome="obtained"} 1')
  expect(gateway.events.filter(({ type }) => type.startsWith('credential.'))).toEqual([
    { type: 'credential.obtained', detail: { server: 'up', mode: 'oauth', lifeS: 3600 } },
  ])
})

it('a token that the server refuses is replaced, and the refused request made once more: a 401 says that nothing was done', async () => {
  const authority = await authorityOf()
  const { client, upstream } = await start(authority)
  await client.ask('tools/list')
  authority.made.push('revoked-before-its-time')
  const done = upstream.of('tools/call').length
  const answers = await Promise.all(Array.from({ length: 5 }, (_, i) => client.post(call(i + 10, 'up__echo'))))
  for (const { messages } of answers) expect(JSON.parse(messages.at(-1)!)).toHaveProperty('result.content')
  expect(upstream.of('tools/call').length - done).toBe(5)
  expect(authority.asked.length).toBe(2)
})

it('a server that refuses every token gets each request twice at most, and the endpoint is not asked for each', async () => {
  const authority = await authorityOf()
  let refuses = false
  const { client } = await start(
    authority,
    {},
    {
      intercept(_request, response) {
        if (refuses) response.writeHead(401).end()
        return refuses
      },
    },
  )
  await client.ask('tools/list')
  refuses = true
  seen = []
  for (let i = 0; i < 5; i++)
    expect((await client.ask('tools/call', { name: 'up__echo' })).error.data.mcpgw.code).toBe('upstream-unavailable')
  expect([seen.filter(one => one.startsWith('POST')).length, authority.asked.length]).toEqual([6, 2])
})

it('a refusal that is not the status of the response is no proof, and nothing is made again', async () => {
  const authority = await authorityOf()
  const { client, upstream } = await start(authority)
  await client.ask('tools/list')
  let calls = 0
  upstream.handlers.set('tools/call', received => {
    calls++
    received.error(401, 'unauthorized: invalid_token')
  })
  expect((await client.ask('tools/call', { name: 'up__echo' })).error.code).toBe(401)
  expect([calls, authority.asked.length]).toEqual([1, 1])
})

describe('where no token can be had, nothing is sent, the endpoint is left alone for a while, and operators see why', () => {
  it.each<[string, FakeAuthority['intercept'], string]>([
    [
      'it refuses',
      (_asked, response) => !!response.writeHead(400).end('{"error":"invalid_scope","error_description":"hunter2hunter2"}'),
      'HTTP 400 invalid_scope',
    ],
    ['it is broken', (_asked, response) => !!response.writeHead(503, { 'retry-after': '9' }).end('oops'), 'HTTP 503'],
    ['it hangs up', (_asked, response) => !!response.destroy(), 'UND_ERR_SOCKET'],
    ['it answers a page', (_asked, response) => !!response.writeHead(200).end('<html>'), 'not a JSON object'],
    [
      'it answers a token of another type',
      (_asked, response) => !!response.writeHead(200).end('{"access_token":"a","token_type":"mac"}'),
      'not of type Bearer',
    ],
    ['it answers without end', (_asked, response) => response.writeHead(200).write('x'.repeat(100_000)) || true, 'longer than 65536 bytes'],
    ['it leads elsewhere', (_asked, response) => !!response.writeHead(307, { location: 'http://127.0.0.1:1/token' }).end(), 'HTTP 307'],
  ])('%s', async (_what, intercept, why) => {
    const authority = await authorityOf()
    authority.intercept = intercept
    const { client, upstream, gateway, health } = await start(authority)
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.ask('tools/call', { name: 'up__echo' })))
    for (const answer of answers) expect(answer.error.data.mcpgw.code).toBe('upstream-unavailable')
    expect([upstream.requests.length, authority.asked.length <= 2]).toEqual([0, true])
    const component = health.view().components.find(({ name }) => name === 'credential/up')
    expect(component).toMatchObject({ status: 'degraded', why: expect.stringContaining(why) })
    const failed = gateway.events.find(({ type }) => type === 'credential.failed')
    expect(failed).toMatchObject({ success: false, detail: { server: 'up', mode: 'oauth', why: expect.stringContaining(why) } })
    const shown = JSON.stringify([gateway.events, gateway.logged, health.view(), answers])
    for (const secret of [SECRET, 'hunter2']) expect(shown).not.toContain(secret)
  })

  it('an endpoint that comes back is used, and health says so', async () => {
    const authority = await authorityOf()
    authority.intercept = (_asked, response) => !!response.writeHead(500).end()
    const { client, health } = await start(authority)
    await client.ask('tools/call', { name: 'up__echo' })
    authority.intercept = undefined
    await until(() => authority.asked.length > 0)
    for (;;) {
      const answer = await client.ask('tools/call', { name: 'up__echo' })
      if (answer.result !== undefined) break
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(health.view().components.find(({ name }) => name === 'credential/up')?.status).toBe('ok')
  })
})

it('a life of no time does not make a request to the endpoint of each call', async () => {
  const authority = await authorityOf()
  authority.answer = { expires_in: 0 }
  const { client } = await start(authority)
  await client.ask('tools/list')
  for (let i = 0; i < 20; i++) await client.ask('tools/call', { name: 'up__echo' })
  expect(authority.asked.length).toBeLessThan(3)
})

it.each<[string, (token: string) => string]>([
  ['as it is', token => token],
  ['in base64', token => Buffer.from(`Bearer ${token}`).toString('base64')],
  ['for a URL', token => encodeURIComponent(`Bearer ${token}`)],
  ['in hex', token => Buffer.from(token).toString('hex')],
])('a token that the server tells %s is taken out of what the caller gets, a kilobyte long as well', async (_how, spelt) => {
  const long = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${'aB3_'.repeat(300)}.${'Zx-9'.repeat(20)}`
  const authority = await authorityOf()
  for (const answer of [{}, { access_token: long }]) {
    authority.answer = answer
    const { client, upstream } = await start(authority)
    await client.ask('tools/list')
    const token = seen.at(-1)!.split(' ').at(-1)!
    upstream.handlers.set('tools/call', received =>
      received.result(JSON.stringify({ content: [{ type: 'text', text: `it is <${spelt(token)}>` }] })),
    )
    authority.made.push(token)
    const text = JSON.stringify(await client.ask('tools/call', { name: 'up__echo' }))
    expect(text).toContain('[SECRET up]')
    for (let at = 0; at + 40 <= spelt(token).length; at += 20) expect(text).not.toContain(spelt(token).slice(at, at + 40))
  }
})

describe('the gateway proves who it is', () => {
  const keys = {
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }
  it.each(['ES256', 'RS256'] as const)('with a key, by %s; each assertion is good once and for a minute', async algorithm => {
    const { privateKey, publicKey } = keys[algorithm]
    const authority = await authorityOf({ key: publicKey })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const { client } = await start(authority, { clientSecret: undefined, privateKey: pem, issuer: authority.url, keyId: 'k1' })
    expect(await client.ask('tools/call', { name: 'up__echo' })).toHaveProperty('result')
    expect(authority.assertions).toMatchObject([{ iss: 'mcpgw', sub: 'mcpgw', aud: authority.url }])
    const [{ exp = 0, iat = 0 } = {}] = authority.assertions
    expect(exp - iat).toBe(60)
  })

  it('with its secret in the header or in the body, and never in both', async () => {
    const authority = await authorityOf()
    await start(authority)
    await start(authority, { clientAuth: 'post' })
    expect(authority.asked.map(({ form, headers }) => [form.get('client_secret'), headers.authorization?.split(' ')[0]])).toEqual([
      [null, 'Basic'],
      [SECRET, undefined],
    ])
  })
})

describe('the metadata of an issuer', () => {
  it.each(['', '/tenant'])('name the token endpoint: issuer with path "%s"', async path => {
    const authority = await authorityOf({ path })
    const { client } = await start(authority, { issuer: authority.url })
    expect(await client.ask('tools/call', { name: 'up__echo' })).toHaveProperty('result')
    expect(authority.paths).toEqual([`/.well-known/oauth-authorization-server${path}`])
  })

  it.each<[string, (url: string) => Readonly<Record<string, unknown>>, string]>([
    ['speak of another issuer', url => ({ issuer: `${url}/`, token_endpoint: `${url}/token` }), 'its metadata are of another issuer'],
    ['name no endpoint', url => ({ issuer: url }), 'its metadata name no token_endpoint'],
  ])('that %s are not used', async (_what, metadata, why) => {
    const authority = await authorityOf()
    authority.metadata = metadata(authority.url)
    const { client, health } = await start(authority, { issuer: authority.url })
    expect((await client.ask('tools/call', { name: 'up__echo' })).error.data.mcpgw.code).toBe('upstream-unavailable')
    expect(health.view().components.find(({ name }) => name === 'credential/up')?.why).toContain(why)
    expect(authority.asked).toEqual([])
  })
})
