// A plain HTTP server behind the gateway: what is sent there, and what each of its answers becomes.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { defaults, type RestServer } from '../../../../core/config/schema.ts'
import { readTemplate } from '../../../../core/upstream/rest/path.ts'
import type { RestTool } from '../../../../core/upstream/rest/tool.ts'
import { connectHttp } from '../../data-plane/clients.ts'
import { plugin, startTestGateway, until } from '../../data-plane/gateway.ts'
import { closeAfterEach } from '../../data-plane/opened.ts'
import { serve } from '../remote/wire.ts'

const opened = closeAfterEach()

function tool(name: string, method: string, path: string, more: Partial<RestTool> = {}): RestTool {
  const template = readTemplate(path)
  if (typeof template === 'string') throw new Error(template)
  const definition = { name, inputSchema: { type: 'object' } }
  return { name, definition, method, path: template, parameters: [], others: method === 'GET' ? 'query' : 'body', ...more }
}
const tools = [
  tool('read', 'GET', '/things/{id}'),
  tool('write', 'POST', '/things'),
  tool('promised', 'GET', '/p', { definition: { name: 'promised', inputSchema: { type: 'object' }, outputSchema: { type: 'object' } } }),
]

async function start(
  handle: (request: IncomingMessage & { body: string }, response: ServerResponse) => void,
  more: Partial<RestServer> = {},
) {
  const upstream = opened(await serve(handle))
  const server: RestServer = {
    kind: 'rest',
    id: 'up',
    name: 'up',
    enabled: true,
    shared: false,
    protocol: 'legacy',
    timeout: defaults.timeout,
    url: `${upstream.origin}/v1`,
    headers: { 'X-Key': 'ours' },
    tools,
    ...more,
  }
  const gateway = opened(await startTestGateway({ servers: [server] }))
  const client = await connectHttp(gateway)
  const call = (name: string, args: object = {}) => client.ask('tools/call', { name: `up__${name}`, arguments: args })
  return { upstream, gateway, client, call }
}
const json = { 'content-type': 'application/json' }
const answering = (status: number, headers: Record<string, string>, body = '') =>
  start((_request, response) => void response.writeHead(status, headers).end(body))

test('lists its tools, and makes one request of each call, with what is configured and nothing of the caller', async () => {
  const { client, call, upstream } = await start((request, response) =>
    response.writeHead(200, json).end(JSON.stringify({ at: request.url, method: request.method, body: request.body })),
  )
  const { result } = await client.ask('tools/list')
  expect(result.tools.map(({ name }: { name: string }) => name)).toEqual(['up__read', 'up__write', 'up__promised'])
  const read = await call('read', { id: 'a b', n: 9 })
  expect(read.result).toEqual({
    content: [{ type: 'text', text: '{"at":"/v1/things/a%20b?n=9","method":"GET","body":""}' }],
    structuredContent: { at: '/v1/things/a%20b?n=9', method: 'GET', body: '' },
  })
  expect((await call('write', { a: 1 })).result.structuredContent).toEqual({ at: '/v1/things', method: 'POST', body: '{"a":1}' })
  expect(upstream.requests).toHaveLength(2)
  for (const { headers } of upstream.requests) {
    expect(headers).toMatchObject({ 'x-key': 'ours' })
    expect(Object.keys(headers).filter(name => name.startsWith('mcp-') || name === 'authorization' || name === 'cookie')).toEqual([])
  }
})

test('arguments that cannot be sent are an error of the tool, and the server sees nothing', async () => {
  const { call, upstream } = await answering(200, json, '{}')
  expect((await call('read', { id: '../admin' })).result).toEqual({
    content: [{ type: 'text', text: 'Nothing was sent: `id` must have no slash, backslash or control character' }],
    isError: true,
  })
  expect(upstream.requests).toHaveLength(0)
})

describe('an answer', () => {
  test.each([
    ['that is a list', 200, json, '[1, 2]', { content: [{ type: 'text', text: '[1, 2]' }] }],
    ['that is text', 200, { 'content-type': 'text/plain; charset=utf-8' }, 'héllo', { content: [{ type: 'text', text: 'héllo' }] }],
    [
      'that is a problem',
      200,
      { 'content-type': 'application/hal+json' },
      '{}',
      { content: [{ type: 'text', text: '{}' }], structuredContent: {} },
    ],
    ['without content', 204, {}, '', { content: [{ type: 'text', text: 'HTTP 204, without content' }] }],
    [
      'that is no text',
      200,
      { 'content-type': 'image/png' },
      'PNG',
      { content: [{ type: 'text', text: 'HTTP 200: 3 bytes that are no text, which are left out' }] },
    ],
    [
      '404 with a text',
      404,
      json,
      '{"message":"no such thing"}',
      { content: [{ type: 'text', text: 'HTTP 404: {"message":"no such thing"}' }], isError: true },
    ],
    ['500 without one', 500, {}, '', { content: [{ type: 'text', text: 'HTTP 500' }], isError: true }],
  ])('%s is told as it is', async (_what, status, headers, body, result) => {
    const { call, upstream } = await answering(status, headers as Record<string, string>, body)
    expect((await call('read', { id: 1 })).result).toEqual(result)
    expect(upstream.requests).toHaveLength(1)
  })

  test.each([
    ['with a key twice', json, '{"a":1,"a":2}'],
    ['that is cut off', json, '{"a":'],
    ['that is no UTF-8', json, '"\\ud800"'],
    ['that is larger than a message may be', json, `"${'x'.repeat(6 * 1024 * 1024)}"`],
    ['in a coding that was not asked for', { ...json, 'content-encoding': 'gzip' }, '{}'],
  ])('%s reaches nobody', async (_what, headers, body) => {
    const { call } = await answering(200, headers as Record<string, string>, body)
    expect((await call('read', { id: 1 })).error).toMatchObject({ data: { mcpgw: { code: 'upstream-garbage' } } })
  })

  test('of a failure is told in part where it is long', async () => {
    const { call } = await answering(400, { 'content-type': 'text/plain' }, 'é'.repeat(100_000))
    const { result } = await call('read', { id: 1 })
    expect(result.content[0].text.length).toBeLessThan(3000)
  })

  test('that is not the object which was promised is an error: no client may take it for one', async () => {
    const { call } = await answering(200, json, '[]')
    expect((await call('promised')).result).toEqual({ content: [{ type: 'text', text: '[]' }], isError: true })
  })
})

test('a redirect is told, and not followed', async () => {
  const { call, upstream } = await answering(302, { location: 'http://169.254.169.254/' }, 'x')
  expect((await call('read', { id: 1 })).result).toEqual({
    content: [{ type: 'text', text: 'HTTP 302: the server leads elsewhere, and is not followed' }],
    isError: true,
  })
  expect(upstream.requests).toHaveLength(1)
})

test('a call that nobody waits for any more ends its request', async () => {
  const { client, upstream } = await start((request, response) => {
    if (request.url === '/v1/things/1') return
    response.writeHead(200, json).end('{}')
  })
  const calling = client.post('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"up__read","arguments":{"id":1}}}')
  await until(() => upstream.requests.length === 1)
  const closed = once(upstream.requests[0]!.socket, 'close')
  await client.post('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}')
  await closed
  await calling
})

test('a call that takes too long is ended, and the next is answered', async () => {
  const { call, upstream } = await start(
    (request, response) => {
      if (request.url === '/v1/things/2') response.writeHead(200, json).end('{}')
    },
    { timeout: { ...defaults.timeout, callMs: 200 } },
  )
  expect((await call('read', { id: 1 })).error.data.mcpgw.code).toBe('upstream-timeout')
  expect((await call('read', { id: 2 })).result.structuredContent).toEqual({})
  expect(upstream.requests).toHaveLength(2)
})

test('failures of the server open its breaker, though each is told; those of callers do not', async () => {
  let status = 400
  const { call, gateway } = await start(
    (_request, response) => void response.writeHead(status, { 'content-type': 'text/plain' }).end('why'),
  )
  for (let n = 0; n < 25; n++) await call('read', { id: n })
  expect(gateway.gateway.board.gate('up').view.breaker).toBe('closed')
  status = 503
  const told = await call('read', { id: 1 })
  expect(told.result).toEqual({ content: [{ type: 'text', text: 'HTTP 503: why' }], isError: true })
  for (let n = 0; n < 25; n++) await call('read', { id: n })
  expect(gateway.gateway.board.gate('up').view.breaker).toBe('open')
  expect((await call('read', { id: 1 })).error.data.mcpgw.code).toBe('upstream-unavailable')
})

test('a server that is not there is unavailable', async () => {
  const { call } = await start(() => {}, { url: 'http://127.0.0.1:1/' })
  expect((await call('read', { id: 1 })).error.data.mcpgw.code).toBe('upstream-unavailable')
})

test('secrets that a server echoes are taken out, as of any other server', async () => {
  const { call, gateway } = await start(
    (request, response) => response.writeHead(200, json).end(JSON.stringify({ k: request.headers['x-key'] })),
    {
      headers: { 'X-Key': 'a-long-secret-value' },
    },
  )
  gateway.secrets.hold('up', 'a-long-secret-value')
  expect(JSON.stringify((await call('read', { id: 1 })).result)).not.toContain('a-long-secret-value')
})

test('plugins see its calls as those of any other server', async () => {
  const upstream = opened(await serve((_request, response) => void response.writeHead(200, json).end('{}')))
  const seen: unknown[] = []
  const watching = plugin('watch', [], {
    onRequest({ resource, args }) {
      if (resource.kind === 'call') seen.push([resource.server, resource.tool, args.value])
      return { kind: 'pass' }
    },
  })
  const gateway = opened(
    await startTestGateway({
      plugins: [watching],
      servers: [
        {
          kind: 'rest',
          id: 'up',
          name: 'up',
          enabled: true,
          shared: false,
          protocol: 'legacy',
          timeout: defaults.timeout,
          url: upstream.origin,
          headers: {},
          tools,
        },
      ],
    }),
  )
  const client = await connectHttp(gateway)
  await client.ask('tools/call', { name: 'up__read', arguments: { id: 1 } })
  expect(seen).toEqual([['up', 'read', { id: 1 }]])
})
