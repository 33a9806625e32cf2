// The plain HTTP interface: tools by name and the gateway's own operations, the same way as any MCP request, with statuses that say how it went.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Operation } from '../../../core/plugin/index.ts'
import { authenticating, plugin, startTestGateway, type TestGatewayOptions } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'

const opened = closeAfterEach()

const pages = {
  name: 'page',
  summary: 'A page of something.',
  route: 'GET /pages/{id}',
  effect: 'reads',
  scope: 'tenant',
  input: z.strictObject({
    id: z.string(),
    limit: z.int().max(10).default(5),
    deep: z.boolean().optional(),
    tag: z.array(z.string()).optional(),
  }),
  output: z.looseObject({}),
  perform: async (input: Record<string, never>, { tenant, actor }: { tenant?: string; actor: unknown }) => ({
    kind: 'done',
    value: { ...input, tenant: tenant ?? null, actor },
  }),
} as unknown as Operation

async function world(more: Partial<TestGatewayOptions> = {}) {
  const upstream = opened(await startHttpUpstream(more.servers === undefined ? {} : {}))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], ...more }))
  const base = gateway.url.replace(/\/mcp$/, '')
  const ask = async (path: string, init: { method?: string; body?: string; headers?: Record<string, string> } = {}) => {
    const response = await fetch(`${base}${path}`, { ...init, headers: { 'content-type': 'application/json', ...init.headers } })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers })
  return { upstream, gateway, ask, post }
}

const deciding = (name: string) =>
  plugin('decides', ['decides'], {
    onRequest: ({ resource }) =>
      resource.kind !== 'call' || resource.tool === name
        ? { kind: 'allow', rules: [], obligations: [] }
        : { kind: 'deny', code: 'denied', reason: 'not that' },
  })

describe('tools', () => {
  it('refuses in its own form, also what is refused before anybody knows what is asked', async () => {
    const { ask, post } = await world()
    const plain = await ask('/tools/up__echo/call', { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } })
    expect([plain.status, plain.body]).toEqual([415, { error: { code: 'media-type', message: expect.any(String) as string } }])
    const foreign = await post('/tools/up__echo/call', {}, { origin: 'https://elsewhere.example' })
    expect([foreign.status, foreign.body.error.code]).toEqual([403, 'forbidden-host'])
    expect((await ask('/mcp', { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } })).body).toHaveProperty('jsonrpc')
  })

  it('are listed, and called by name', async () => {
    const { ask, post, upstream } = await world()
    const { status, body } = await ask('/tools')
    expect(status).toBe(200)
    expect(body.tools.map(({ name }: { name: string }) => name)).toEqual(['up__echo'])
    const answer = await post('/tools/up__echo/call', { arguments: { text: 'hi', big: 9007199254740993n.toString() } })
    expect(answer.status).toBe(200)
    expect(answer.body.content).toBeDefined()
    expect(answer.body.resultType).toBeUndefined()
    expect(upstream.of('tools/call')).toHaveLength(1)
  })

  it('without a body are called without arguments', async () => {
    const { ask } = await world()
    expect((await ask('/tools/up__echo/call', { method: 'POST' })).status).toBe(200)
  })

  it.each([
    ['no JSON', '{"arguments":', 400, 'parse-error'],
    ['a key twice', '{"arguments":{"a":1,"a":2}}', 400, 'parse-error'],
    ['no object', '[]', 400, 'invalid-request'],
    ['another member', '{"args":{}}', 400, 'invalid-arguments'],
    ['arguments that are no object', '{"arguments":[1]}', 400, 'invalid-arguments'],
  ])('%s is refused before a server hears of it', async (_, body, status, code) => {
    const { post, upstream } = await world()
    const answer = await post('/tools/up__echo/call', body)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
    expect(upstream.of('tools/call')).toEqual([])
  })

  it('that there are not are 404, whatever their name', async () => {
    const { post } = await world()
    for (const name of ['nope', 'up__nope', 'a%2Fb', '%00']) {
      const answer = await post(`/tools/${name}/call`, {})
      expect([name, answer.status, answer.body.error.code]).toEqual([name, 404, 'unknown-tool'])
    }
  })

  it('that are denied are 403 and say why', async () => {
    const { post, upstream } = await world({ plugins: [deciding('other')] })
    const answer = await post('/tools/up__echo/call', {})
    expect(answer.status).toBe(403)
    expect(answer.body.error).toMatchObject({ code: 'denied', message: 'not that', callId: expect.any(String) })
    expect(upstream.of('tools/call')).toEqual([])
  })

  it('of a caller who shows nothing are 401 with a challenge', async () => {
    const { ask } = await world({ plugins: [authenticating] })
    const answer = await ask('/tools')
    expect([answer.status, answer.body.error.code]).toEqual([401, 'unauthenticated'])
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect((await ask('/tools', { headers: { authorization: 'anna' } })).status).toBe(200)
  })

  it('over a limit are 429 with the time to wait', async () => {
    const limiting = plugin('limits', [], { onRequest: () => ({ kind: 'deny', code: 'rate-limited', reason: 'slower', retryAfter: 7 }) })
    const { post } = await world({ plugins: [limiting] })
    const answer = await post('/tools/up__echo/call', {})
    expect([answer.status, answer.headers.get('retry-after'), answer.body.error.retryAfter]).toEqual([429, '7', 7])
  })

  it('are not asked for with another method', async () => {
    const { ask } = await world()
    const answer = await ask('/tools', { method: 'DELETE' })
    expect([answer.status, answer.headers.get('allow'), answer.body.error.code]).toEqual([405, 'GET', 'method-not-allowed'])
  })
})

describe('operations', () => {
  const gateway = { tools: ['*'], operators: ['default'] }

  it('have a route, whose texts become what the schema says', async () => {
    const { ask } = await world({ gateway, operations: [pages], plugins: [authenticating] })
    const answer = await ask('/pages/a-1?limit=3&deep=true&tag=x&tag=y', { headers: { authorization: 'anna' } })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      id: 'a-1',
      limit: 3,
      deep: true,
      tag: ['x', 'y'],
      tenant: null,
      actor: { id: 'anna', tenant: 'default' },
    })
  })

  it('say which member does not fit', async () => {
    const { ask } = await world({ gateway, operations: [pages] })
    expect(await ask('/pages/a?limit=11')).toMatchObject({ status: 400, body: { error: { code: 'invalid-arguments', field: 'limit' } } })
    expect(await ask('/pages/a?nope=1')).toMatchObject({ status: 400, body: { error: { code: 'invalid-arguments' } } })
  })

  it('are not there where the config does not name them', async () => {
    const none = await world({ operations: [pages] })
    expect((await none.ask('/pages/a')).status).toBe(404)
    const some = await world({ gateway: { tools: ['list_*'], operators: [] }, operations: [pages] })
    expect((await some.ask('/pages/a')).status).toBe(404)
    expect((await some.ask('/servers')).status).toBe(200)
  })

  it('are decided like any other call', async () => {
    const { ask } = await world({ gateway, operations: [pages], plugins: [authenticating, deciding('page')] })
    expect((await ask('/pages/a', { headers: { authorization: 'anna' } })).status).toBe(200)
    expect((await ask('/servers', { headers: { authorization: 'anna' } })).status).toBe(403)
  })

  it('that change something need a plugin that decides', async () => {
    const change = { ...pages, name: 'change', effect: 'changes', route: 'PUT /pages/{id}' } as Operation
    const open = await world({ gateway, operations: [change] })
    expect((await open.ask('/pages/a', { method: 'PUT', body: '{}' })).status).toBe(404)
    const decided = await world({ gateway, operations: [change], plugins: [deciding('change')] })
    expect((await decided.ask('/pages/a', { method: 'PUT', body: '{"limit":2}' })).body.limit).toBe(2)
  })

  it('about all tenants exist for operators alone', async () => {
    const whole = { ...pages, scope: 'gateway' } as Operation
    const other = await world({ gateway: { tools: ['*'], operators: ['ops'] }, operations: [whole], plugins: [authenticating] })
    expect((await other.ask('/pages/a', { headers: { authorization: 'anna' } })).status).toBe(404)
    const own = await world({ gateway, operations: [whole], plugins: [authenticating] })
    expect((await own.ask('/pages/a', { headers: { authorization: 'anna' } })).status).toBe(200)
  })

  it('that fail say no more than that they do not work now', async () => {
    const broken = { ...pages, perform: () => Promise.reject(new Error('password=hunter2')) } as unknown as Operation
    const { ask } = await world({ gateway, operations: [broken] })
    const answer = await ask('/pages/a')
    expect(answer.status).toBe(503)
    expect(JSON.stringify(answer.body)).not.toContain('hunter2')
  })
})
