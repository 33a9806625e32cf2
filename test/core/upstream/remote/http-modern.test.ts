// Requests to stateless servers: each says in its headers what it is, belongs to no session, and ends when nobody waits for it.
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { createHttpTransport } from '../../../../core/upstream/remote/http.ts'
import { call, connectHttp } from '../../data-plane/clients.ts'
import { startTestGateway, until } from '../../data-plane/gateway.ts'
import { type HttpReceived, type HttpUpstream, type HttpUpstreamOptions, startHttpUpstream } from '../../data-plane/http-upstream.ts'
import { closeAfterEach } from '../../data-plane/opened.ts'
import { leaveOpen } from '../../data-plane/script.ts'
import { connectWire, request, type Wire } from './wire.ts'

const opened = closeAfterEach()

async function start(options: HttpUpstreamOptions, headers: Readonly<Record<string, string>> = {}) {
  const upstream = opened(await startHttpUpstream(options))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol: 'auto', headers })] }))
  return { upstream, gateway, client: await connectHttp(gateway) }
}

it('a stateless server gets the mirrored headers with each request, and never a session, a GET or a DELETE', async () => {
  const { upstream, gateway, client } = await start({
    modern: '{"tools":{}}',
    stream: true,
    intercept: (_request, response) => {
      response.setHeader('mcp-session-id', 'made-up')
      return false
    },
  })
  const answer = await client.ask('tools/call', { name: 'up__echo', arguments: { a: 1 } })
  expect(answer.result.echo).toEqual({ a: 1 })
  const { headers } = upstream.of('tools/call')[0]!
  expect(headers).toMatchObject({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' })
  await gateway.stop()
  expect(new Set(upstream.requests.map(one => one.method))).toEqual(new Set(['POST']))
  for (const { headers: sent } of upstream.requests) expect(sent).not.toHaveProperty('mcp-session-id')
})

it('a call that is cancelled is ended by closing its response at once, and no notification is sent', async () => {
  const { upstream, client } = await start({ modern: '{"tools":{}}', on: { 'tools/call': leaveOpen } })
  const calling = client.post(call(7, 'up__echo'))
  const { response } = (await upstream.next('tools/call')) as HttpReceived
  const closed = once(response, 'close')
  await client.post('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}')
  await closed
  await calling
  expect(upstream.of('notifications/cancelled')).toEqual([])
})

it('a server with sessions that refuses the question for its era is initialized as if it had not been asked', async () => {
  for (const status of [400, 404]) {
    const { upstream, client } = await start({
      intercept: (_request, response, body) => {
        if (!body.includes('server/discover')) return false
        response
          .writeHead(status, { 'content-type': 'application/json', 'mcp-session-id': 'of-the-refusal' })
          .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}')
        return true
      },
    })
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: 1 })).result.echo).toBe(1)
    expect(upstream.opened).toBe(1)
    expect(upstream.of('initialize')[0]!.headers).not.toHaveProperty('mcp-session-id')
    expect(upstream.of('tools/call')[0]!.headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25' })
    expect(upstream.of('tools/call')[0]!.headers).not.toHaveProperty('mcp-method')
  }
})

const connect = async (upstream: HttpUpstream, headers: Readonly<Record<string, string>> = {}): Promise<Wire> =>
  opened(await connectWire(createHttpTransport, upstream.url, { headers }))

it('mirrored headers set nothing else: credentials and hop-by-hop headers stay, and what is configured wins', async () => {
  const upstream = opened(await startHttpUpstream({ modern: '{}' }))
  const { transport, messages } = await connect(upstream, { Authorization: 'Bearer ours', 'Mcp-Param-Region': 'eu' })
  transport.send(request(1), {
    kind: 'request',
    id: 1,
    headers: {
      'Mcp-Method': 'tools/call',
      'Mcp-Param-City': 'Oslo',
      'mcp-param-region': 'us',
      authorization: 'Bearer theirs',
      Cookie: 'a=b',
      'mcp-session-id': 'stolen',
      connection: 'close',
      'x-mcp-param-x': '1',
    },
  })
  await until(() => messages.length === 1)
  const sent = upstream.requests[0]!.headers
  expect(sent).toMatchObject({
    authorization: 'Bearer ours',
    'mcp-method': 'tools/call',
    'mcp-param-city': 'Oslo',
    'mcp-param-region': 'eu',
    connection: 'keep-alive',
  })
  for (const name of ['cookie', 'mcp-session-id', 'x-mcp-param-x']) expect(sent).not.toHaveProperty(name)
})

it('a header that no request can have fails that request alone, and not before it was sent', async () => {
  const upstream = opened(await startHttpUpstream({ modern: '{}' }))
  const { transport, failed, messages } = await connect(upstream)
  transport.send(request(1), { kind: 'request', id: 1, headers: { 'mcp-method': 'two\nlines' } })
  expect(failed).toEqual([])
  await until(() => failed.length === 1)
  transport.send(request(2), { kind: 'request', id: 2, headers: { 'mcp-method': 'tools/call' } })
  await until(() => messages.length === 1)
  expect(failed.map(one => one.id)).toEqual([1])
})

it('a status without a message is told with the failure; an error in the response is the answer, whatever the status', async () => {
  let status = 0
  let body = ''
  const upstream = opened(
    await startHttpUpstream({
      modern: '{}',
      intercept: (_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body) !== undefined,
    }),
  )
  const { transport, failed, messages } = await connect(upstream)
  let id = 0
  for (status of [400, 401, 403, 404, 405, 429, 500, 503]) {
    body = '{"error":"no"}'
    transport.send(request(++id), { kind: 'request', id, headers: {} })
    await until(() => failed.length === id)
    expect(failed.at(-1)).toMatchObject({ id, fault: { status } })
    expect(failed.at(-1)!.fault.undelivered).not.toBe(true)
  }
  for (status of [400, 404, 500]) {
    body = '{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"session unknown","data":{"supported":["2027-01-01"]}}}'
    const before = messages.length
    transport.send(request(++id), { kind: 'request', id, headers: {} })
    await until(() => messages.length === before + 1)
    expect(messages.at(-1)!.text).toBe(body)
  }
})

it('a request that is abandoned before its connection stands is not sent', async () => {
  const upstream = opened(await startHttpUpstream({ modern: '{}' }))
  const { transport, failed, messages } = await connect(upstream)
  transport.send(request(1), { kind: 'request', id: 1, headers: {} })
  transport.abandon!(1)
  transport.send(request(2), { kind: 'request', id: 2, headers: {} })
  await until(() => messages.length === 1)
  expect(upstream.seen.map(one => one.id)).toEqual(['2'])
  expect(failed).toEqual([])
})
