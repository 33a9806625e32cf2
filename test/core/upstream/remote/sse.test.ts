// The older transport, HTTP+SSE: found where nothing newer is spoken, faithful, and kept to the origin that is configured.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createSseTransport } from '../../../../core/upstream/remote/sse.ts'
import type { Transport } from '../../../../core/upstream/transport.ts'
import { call, connectHttp } from '../../data-plane/clients.ts'
import { startTestGateway, until } from '../../data-plane/gateway.ts'
import { closeAfterEach } from '../../data-plane/opened.ts'
import { startSdkSse } from './sdk-peers.ts'
import { connectWire, eventStream, type Served, serve, type Wire } from './wire.ts'

const opened = closeAfterEach()

describe.each(['sse', 'auto'] as const)('a server of the SDK over HTTP+SSE, configured as %s', protocol => {
  async function connectTo(capabilities = '{}') {
    const peer = opened(await startSdkSse())
    const headers = { authorization: 'Bearer ours' }
    const gateway = opened(await startTestGateway({ servers: [peer.server('up', { protocol, headers })] }))
    return { peer, client: await connectHttp(gateway, { capabilities }) }
  }

  it('lists its tools, is called, tells progress, and gets the configured headers', async () => {
    const { peer, client } = await connectTo()
    expect((await client.ask('tools/list')).result.tools).toHaveLength(5)
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: { a: 1 } })).result.content[0].text).toBe('{"a":1}')
    const { messages } = await client.post(call(9, 'up__count', '{}', '{"progressToken":"p"}'))
    expect(messages.map(text => JSON.parse(text).params?.progress ?? JSON.parse(text).id)).toEqual([1, 2, 3, 9])
    for (const request of peer.requests) expect(request.headers.authorization).toBe('Bearer ours')
    if (protocol === 'sse') expect(peer.requests.filter(one => one.path === '/sse').every(one => one.method === 'GET')).toBe(true)
  })

  it('asks the client during a call, and hears that a call was cancelled', async () => {
    const { peer, client } = await connectTo('{"roots":{}}')
    const asking = await client.start(call(1, 'up__ask'))
    const asked = await asking.next()
    expect(asked.method).toBe('roots/list')
    await client.post(`{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},"result":{"roots":[{"uri":"file:///here"}]}}`)
    expect((await asking.next()).result.content[0].text).toBe('file:///here')
    const before = peer.requests.length
    const waiting = client.post(call(2, 'up__wait', '{"n":1}'))
    await until(() => peer.requests.length > before)
    await client.post('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}')
    await until(() => peer.cancelled.length === 1)
    await waiting
  })

  it('whose stream breaks fails what is under way, and is connected anew for the next call', async () => {
    const { peer, client } = await connectTo()
    await client.ask('tools/list')
    const waiting = client.ask('tools/call', { name: 'up__wait', arguments: {} })
    const before = peer.requests.length
    await until(() => peer.requests.length > before)
    peer.disconnect()
    expect((await waiting).error.data.mcpgw.code).toBe('upstream-crashed')
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: {} })).result.content[0].text).toBe('{}')
  })
})

const start = async (handle: Parameters<typeof serve>[0]): Promise<Served> => opened(await serve(handle))
const connect = async (server: Served): Promise<Wire> =>
  opened(await connectWire(createSseTransport, `${server.origin}/sub/sse?key=1`, { headers: { 'X-Team': 'blue' } }))

describe('the address that a server names', () => {
  const places = { '/post?session=1': '/post?session=1', 'post#x': '/sub/post', '?a=b': '/sub/sse?a=b', '  /post  ': '/post' }
  for (const [named, path] of Object.entries(places)) {
    it(`${JSON.stringify(named)} is resolved against the configured url`, async () => {
      const server = await start((request, response) => {
        if (request.method === 'GET') response.writeHead(200, eventStream).write(`event: endpoint\ndata: ${named}\n\n`)
        else response.writeHead(202).end('Accepted')
      })
      const { transport, fault } = await connect(server)
      expect(fault).toBe(undefined)
      transport.send(Buffer.from('{}'), { kind: 'request', id: 1 })
      await until(() => server.requests.length === 2)
      expect(server.requests[1]).toMatchObject({ method: 'POST', url: path, headers: { 'x-team': 'blue' } })
    })
  }

  it('may be absolute, where it is of the same origin', async () => {
    const server = await start((request, response) => {
      if (request.method === 'GET') response.writeHead(200, eventStream).write(`event: endpoint\ndata: ${server.origin}/abs\n\n`)
      else response.writeHead(202).end()
    })
    const { transport } = await connect(server)
    transport.send(Buffer.from('{}'), { kind: 'other' })
    await until(() => server.requests.length === 2)
    expect(server.requests[1]!.url).toBe('/abs')
  })

  const evil = [
    '//127.0.0.1:1/x',
    '\\\\127.0.0.1:1/x',
    '/\\127.0.0.1:1/x',
    'http://127.0.0.1:1/',
    'https://example.com/',
    'file:///etc',
    'http://[',
    'ht\ttp://127.0.0.1:1/',
    `/${'x'.repeat(5_000)}`,
  ]
  for (const named of evil) {
    it(`${JSON.stringify(named.slice(0, 40))}, of another origin or no address, is not followed`, async () => {
      const server = await start((_request, response) => response.writeHead(200, eventStream).write(`event: endpoint\ndata: ${named}\n\n`))
      const { fault, transport, closed } = await connect(server)
      expect(fault).toMatchObject({ code: 'upstream-garbage' })
      transport.send(Buffer.from('{}'), { kind: 'request', id: 1 })
      await until(() => true)
      expect(server.requests).toHaveLength(1)
      expect(closed).toEqual([])
    })
  }

  it('has to be the first thing that is said', async () => {
    const server = await start((_request, response) =>
      response.writeHead(200, eventStream).write('data: {"jsonrpc":"2.0","method":"a"}\n\n'),
    )
    const { fault, messages } = await connect(server)
    expect(fault).toMatchObject({ code: 'upstream-garbage' })
    expect(messages).toEqual([])
  })
})

describe('a stream that cannot be opened', () => {
  it('is a fault with the status, and no redirect is followed', async () => {
    const target = await start((_request, response) => response.end())
    for (const status of [302, 307, 308, 401, 404, 405, 500]) {
      const server = await start((_request, response) => response.writeHead(status, { location: target.origin }).end())
      expect((await connect(server)).fault).toMatchObject({ status })
    }
    expect(target.requests).toEqual([])
  })

  it('is a fault where it is no event stream, is compressed, ends, breaks, or is larger than the limit', async () => {
    const ways: ((response: ServerResponse) => void)[] = [
      response => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      response => response.writeHead(200, { ...eventStream, 'content-encoding': 'gzip' }).end('x'),
      response => response.writeHead(200, eventStream).end(),
      response => response.writeHead(200, eventStream).end('event: endpoint\ndata: /x\n'),
      response => response.destroy(),
      response => response.writeHead(200, eventStream).write(`data: ${'x'.repeat(200_000)}`),
    ]
    for (const way of ways) {
      const server = await start((_request, response) => way(response))
      expect((await connect(server)).fault?.code).toMatch(/^upstream-/)
    }
  })

  it('is given up at once where the transport is closed', async () => {
    const server = await start((_request, response) => response.writeHead(200, eventStream).flushHeaders())
    let transport!: Transport
    const opening = connectWire(options => (transport = createSseTransport(options)), server.origin)
    await until(() => server.requests.length === 1)
    await transport.close()
    expect(opened(await opening).fault).toMatchObject({ code: 'upstream-unavailable' })
  })
})

describe('once it is open', () => {
  async function open(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    let events!: ServerResponse
    const server = await start((request, response) => {
      if (request.method === 'POST') return answer(request, response)
      events = response
      response.writeHead(200, eventStream).write('event: endpoint\ndata: /post\n\n')
    })
    const connected = await connect(server)
    return { ...connected, events, server }
  }

  it('only events that are messages are messages', async () => {
    const { events, messages } = await open((_request, response) => response.writeHead(202).end())
    events.write('event: ping\ndata: {}\n\nevent: endpoint\ndata: //evil/\n\ndata: {"a":1}\n\nevent: message\ndata: {"b":2}\n\n')
    await until(() => messages.length === 2)
    expect(messages.map(one => one.text)).toEqual(['{"a":1}', '{"b":2}'])
  })

  it('a request that the server does not take fails alone, with the status', async () => {
    const { transport, failed, closed } = await open((_request, response) => response.writeHead(404).end('Could not find session'))
    transport.send(Buffer.from('{}'), { kind: 'request', id: 1 })
    expect(failed).toEqual([])
    await until(() => failed.length === 1)
    expect(failed[0]).toMatchObject({ id: 1, fault: { status: 404 } })
    expect(closed).toEqual([])
  })

  it('an event over the limit, and the end of the stream, close it', async () => {
    const over = await open(() => {})
    over.events.write(`data: ${'x'.repeat(200_000)}`)
    await until(() => over.closed.length === 1)
    expect(over.closed[0]!.code).toBe('upstream-garbage')
    const ending = await open(() => {})
    ending.transport.send(Buffer.from('{}'), { kind: 'request', id: 1 })
    await until(() => ending.server.requests.length === 2)
    ending.events.end()
    await until(() => ending.closed.length === 1)
    expect(ending.closed[0]!.code).toBe('upstream-crashed')
    expect(ending.failed).toEqual([])
  })

  it('a redirect of a message is not followed', async () => {
    const target = await start((_request, response) => response.end())
    const { transport, failed } = await open((_request, response) => response.writeHead(307, { location: target.origin }).end())
    transport.send(Buffer.from('{}'), { kind: 'request', id: 1 })
    await until(() => failed.length === 1)
    expect(failed[0]!.fault.status).toBe(307)
    expect(target.requests).toEqual([])
  })
})
