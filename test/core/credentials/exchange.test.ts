// Callers whose tokens are exchanged: each is known to the server by a token of his own, and the one he came with goes nowhere near it.
import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import type { ExchangeClient } from '../../../core/config/schema.ts'
import { createHealth } from '../../../core/health.ts'
import { call, connectHttp, type HttpClient } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { type HttpUpstreamOptions, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { realClock } from '../upstream/manual-clock.ts'
import { type FakeAuthority, startFakeAuthority } from './fake-authority.ts'

const opened = closeAfterEach()
const SECRET = 'client secret+/=%'
const KEY = 'the key of the issuer'

interface Claims {
  readonly sub: string
  readonly scope?: string
  readonly jti?: string
}

function sign(claims: Claims): string {
  const head = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${head}.${createHmac('sha256', KEY).update(head).digest('base64url')}`
}
function read(token: string): Claims | undefined {
  const [head = '', body = '', mac = ''] = token.split('.')
  if (createHmac('sha256', KEY).update(`${head}.${body}`).digest('base64url') !== mac) return undefined
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
}

/** `Bearer JWT`, or `Key NAME`. */
const authenticating = plugin('ids', ['authenticates'], {
  onRequest({ peer, direction }) {
    const [scheme, value = ''] = (peer.header('authorization')[0] ?? '').split(' ')
    if (direction === 'to-client' || value === '') return { kind: 'pass' }
    const id = scheme === 'Key' ? value : read(value)?.sub
    if (id === undefined) return { kind: 'pass' }
    const method = scheme === 'Key' ? 'api-key' : 'jwt'
    return { kind: 'identify', principal: { id, roles: [], tenant: 'default', claims: {}, via: { method } } }
  },
})

/** `issued`: whose token each is, and with what scope. */
async function startAuthority(intercept?: (claims: Claims) => Readonly<Record<string, unknown>> | undefined) {
  const issued = new Map<string, string>()
  let serial = 0
  const authority = opened(
    await startFakeAuthority({
      grant(form) {
        if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange') return undefined
        if (form.get('subject_token_type') !== 'urn:ietf:params:oauth:token-type:access_token') return undefined
        const claims = read(form.get('subject_token') ?? '')
        if (claims === undefined || claims.sub === 'nobody') return undefined
        const token = `exchanged-token-${++serial}`
        issued.set(token, `${claims.sub} ${claims.scope ?? ''}`.trim())
        return { access_token: token, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', ...intercept?.(claims) }
      },
    }),
  )
  return { authority, issued }
}

async function start(authority: FakeAuthority, more: HttpUpstreamOptions = {}, client: Partial<ExchangeClient> = {}) {
  const upstream = opened(await startHttpUpstream({ stream: true, ...more }))
  const health = createHealth({ clock: realClock })
  const exchange: ExchangeClient = { token: authority.token, clientId: 'mcpgw', clientSecret: SECRET, ...client }
  const protocol = more.modern === undefined ? 'legacy' : 'modern'
  const gateway = opened(
    await startTestGateway({ servers: [upstream.server('up', { protocol, auth: { exchange } })], plugins: [authenticating], health }),
  )
  return { upstream, gateway, health }
}
const as = (gateway: TestGateway, claims: Claims): Promise<HttpClient> =>
  connectHttp(gateway, { headers: { authorization: `Bearer ${sign(claims)}` } })
const shownBy = (upstream: Awaited<ReturnType<typeof start>>['upstream'], method: string): string[] =>
  upstream.of(method).map(({ headers }) => String(headers.authorization).replace('Bearer ', ''))

it.each([undefined, '{"tools":{}}'])('each caller has a token of his own, fetched once, for a server of either era (%s)', async modern => {
  const { authority, issued } = await startAuthority()
  const { upstream, gateway, health } = await start(authority, modern === undefined ? {} : { modern }, { audience: 'crm', scopes: ['a'] })
  const clients = [await as(gateway, { sub: 'ann' }), await as(gateway, { sub: 'bob' }), await as(gateway, { sub: 'ann' })]
  for (const client of clients) {
    await client.ask('tools/list')
    await Promise.all(Array.from({ length: 5 }, () => client.post(call(7, 'up__echo'))))
  }
  expect(shownBy(upstream, 'tools/call').map(token => issued.get(token))).toEqual(
    ['ann', 'bob', 'ann'].flatMap(who => Array.from({ length: 5 }, () => who)),
  )
  expect(authority.asked.map(({ form }) => [form.get('audience'), form.get('scope'), read(form.get('subject_token')!)?.sub])).toEqual([
    ['crm', 'a', 'ann'],
    ['crm', 'a', 'bob'],
  ])
  // Neither whole nor by its signature, in no header and no body; nor in anything that operators see.
  const tokens = ['ann', 'bob'].map(sub => sign({ sub }))
  const seen = JSON.stringify([upstream.requests, upstream.seen.map(({ text }) => text), gateway.logged, gateway.events, health.view()])
  for (const token of tokens) for (const part of [token, token.split('.')[2]!]) expect(seen).not.toContain(part)
  for (const { headers } of upstream.requests) expect(issued.has(String(headers.authorization).replace('Bearer ', ''))).toBe(true)
  const shown = JSON.stringify([gateway.logged, gateway.events])
  for (const token of issued.keys()) expect(shown).not.toContain(token)
  expect(gateway.events.filter(({ type }) => type === 'credential.obtained').map(({ about }) => about?.id)).toEqual(['ann', 'bob'])
})

it('of one principal, a token that says less gets another than one that says more, also at the same time', async () => {
  const { authority, issued } = await startAuthority()
  const { upstream, gateway } = await start(authority)
  const client = await as(gateway, { sub: 'ann', scope: 'read' })
  await client.ask('tools/list')
  const scopes = ['read', 'write', 'read', 'write', 'admin', 'read']
  await Promise.all(
    scopes.map((scope, i) =>
      client.post(JSON.stringify({ jsonrpc: '2.0', id: i, method: 'tools/call', params: { name: 'up__echo', arguments: { scope } } }), {
        authorization: `Bearer ${sign({ sub: 'ann', scope, jti: String(i) })}`,
      }),
    ),
  )
  const calls = upstream.of('tools/call')
  expect(calls.length).toBe(6)
  for (const { headers, message } of calls)
    expect(issued.get(String(headers.authorization).replace('Bearer ', ''))).toBe(`ann ${message.params.arguments.scope}`)
  expect(authority.asked.length).toBe(3)
})

it('a caller without such a token, or whose token is refused, gets an answer of his own; all others are served, and nothing looks broken', async () => {
  const { authority } = await startAuthority()
  const { upstream, gateway, health } = await start(authority)
  const good = await as(gateway, { sub: 'ann' })
  const key = await connectHttp(gateway, { headers: { authorization: 'Key carol' } })
  const refused = await as(gateway, { sub: 'nobody' })
  await good.ask('tools/list')
  const before = upstream.requests.length
  for (let i = 0; i < 25; i++) {
    for (const client of [key, refused])
      expect((await client.ask('tools/call', { name: 'up__echo' })).error.data.mcpgw.code).toMatch(
        /^(upstream-credential|upstream-unavailable|unknown-tool)$/,
      )
  }
  expect(upstream.requests.length).toBe(before)
  expect(await good.ask('tools/call', { name: 'up__echo' })).toHaveProperty('result')
  expect(health.status).toBe('ok')
  const failed = gateway.events.filter(({ type }) => type === 'credential.failed')
  expect(failed[0]).toMatchObject({
    success: false,
    detail: { server: 'up', mode: 'exchange' },
    about: { id: 'nobody', tenant: 'default' },
  })
  expect(JSON.stringify([failed, gateway.logged])).not.toContain('SECRET-DESCRIPTION')
})

it('who comes with an API key is not served with what was exchanged for a token of the same principal', async () => {
  const { authority } = await startAuthority()
  const { upstream, gateway } = await start(authority)
  const token = await as(gateway, { sub: 'ann', scope: 'admin' })
  await token.ask('tools/list')
  expect(await token.ask('tools/call', { name: 'up__echo' })).toHaveProperty('result')
  const key = await connectHttp(gateway, { headers: { authorization: 'Key ann' } })
  const { error } = await key.ask('tools/call', { name: 'up__echo' })
  expect(error.data.mcpgw.code).toMatch(/^upstream-(credential|unavailable)$/)
  expect(upstream.of('tools/call').length).toBe(1)
})

it('an endpoint that gives back the token of the caller has exchanged nothing: it goes nowhere', async () => {
  const subject = sign({ sub: 'ann' })
  const { authority } = await startAuthority(() => ({ access_token: subject }))
  const { upstream, gateway, health } = await start(authority)
  const client = await as(gateway, { sub: 'ann' })
  expect((await client.ask('tools/call', { name: 'up__echo' })).error).toBeDefined()
  expect([upstream.requests, health.view().components.find(({ name }) => name === 'credential/up')?.why]).toEqual([
    [],
    'the token endpoint gives back the token of the caller',
  ])
})

it('a token that the server refuses is exchanged anew with what the caller shows now', async () => {
  const { authority, issued } = await startAuthority()
  let revoked: string | undefined
  const { upstream, gateway } = await start(authority, {
    intercept(request, response) {
      const isRevoked = revoked !== undefined && request.headers.authorization === `Bearer ${revoked}`
      if (isRevoked) response.writeHead(401).end()
      return isRevoked
    },
  })
  const client = await as(gateway, { sub: 'ann' })
  await client.ask('tools/list')
  revoked = [...issued.keys()].at(-1)
  const { messages } = await client.post(call(9, 'up__echo'), { authorization: `Bearer ${sign({ sub: 'ann', jti: 'newer' })}` })
  expect(JSON.parse(messages.at(-1)!)).toHaveProperty('result')
  expect(authority.asked.map(({ form }) => read(form.get('subject_token')!)?.jti)).toEqual([undefined, 'newer'])
  expect(upstream.of('tools/call').length).toBe(1)
})

it('what the gateway sends of its own when no request is served asks for no token, and is no failure', async () => {
  const { authority } = await startAuthority(() => ({ expires_in: 5 }))
  const { upstream, gateway } = await start(authority)
  const client = await as(gateway, { sub: 'ann' })
  await client.ask('tools/list')
  await upstream.listening()
  for (const stream of upstream.streams) stream.end()
  const asked = authority.asked.length
  await until(() => upstream.streams.size === 0)
  await until(() => upstream.streams.size === 1)
  expect([authority.asked.length, gateway.events.filter(({ type }) => type === 'credential.failed')]).toEqual([asked, []])
})
