// Streams of servers with sessions that break off: gone on with behind the last event, so that each message comes once and in order.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHttpTransport } from '../../../../core/upstream/remote/http.ts'
import { call, connectHttp } from '../../data-plane/clients.ts'
import { startTestGateway, until } from '../../data-plane/gateway.ts'
import { closeAfterEach } from '../../data-plane/opened.ts'
import { startSdkStreamable } from './sdk-peers.ts'
import { connectWire, eventStream, request, result, type Served, serve, type Wire } from './wire.ts'

const opened = closeAfterEach()
const notification = (n: number): string => `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":${n}}}`
const primed = (id: string, retry: number): string => `id: ${id}\nretry: ${retry}\ndata: \n\n`
const lastId = (one: IncomingMessage): string | undefined => one.headers['last-event-id'] as string | undefined
const resumes = (server: Served): IncomingMessage[] => server.requests.filter(one => lastId(one) !== undefined)

/** `post` begins the stream of each request, `get` each stream that goes on with one. */
async function start(
  post: (response: ServerResponse) => void,
  get: (response: ServerResponse, lastEventId: string) => void,
): Promise<{ server: Served; wire: Wire }> {
  const server = opened(
    await serve((incoming, response) => {
      const id = lastId(incoming)
      if (incoming.method === 'GET') return id === undefined ? void response.writeHead(405).end() : get(response, id)
      response.setHeader('mcp-session-id', 's1')
      post(response.writeHead(200, eventStream))
    }),
  )
  return { server, wire: opened(await connectWire(createHttpTransport, `${server.origin}/mcp`, { headers: { 'x-team': 'blue' } })) }
}

describe('the stream of a request that ends before the answer', () => {
  it('is asked for again behind its last event, not before the server wants it, and what comes belongs to the request', async () => {
    let endedAt = 0
    let askedAt = 0
    const { server, wire } = await start(
      response => {
        response.end(`${primed('a/1', 150)}id: a/2\ndata: ${notification(1)}\n\n`)
        response.on('close', () => (endedAt = performance.now()))
      },
      response => {
        askedAt = performance.now()
        response.writeHead(200, eventStream).end(`id: a/3\ndata: ${notification(2)}\n\ndata: ${result(7)}\n\n`)
      },
    )
    wire.transport.send(request(7), { kind: 'request', id: 7 })
    await until(() => wire.messages.length === 3)
    expect(wire.messages.map(one => one.text)).toEqual([notification(1), notification(2), result(7)])
    expect(new Set(wire.messages.map(one => one.during))).toEqual(new Set([7]))
    expect(resumes(server).map(one => one.headers)).toMatchObject([
      { 'last-event-id': 'a/2', 'mcp-session-id': 's1', accept: 'text/event-stream', 'x-team': 'blue' },
    ])
    expect(askedAt - endedAt).toBeGreaterThan(140)
    expect(wire.failed).toEqual([])
  })

  it('goes on as often as it breaks, whether it ends or is torn, with ids that are not ASCII too', async () => {
    let left = 4
    const { server, wire } = await start(
      response => response.write(primed('né→1', 0), () => response.destroy()),
      (response, id) => {
        if (left-- === 0) return void response.writeHead(200, eventStream).end(`data: ${result(1)}\n\n`)
        response
          .writeHead(200, eventStream)
          .write(`id: ${Buffer.from(id, 'latin1').toString()}+\ndata:\n\ndata: {"js`, () => response.destroy())
      },
    )
    wire.transport.send(request(1), { kind: 'request', id: 1 })
    await until(() => wire.messages.length === 1)
    expect(resumes(server).map(one => Buffer.from(lastId(one)!, 'latin1').toString())).toEqual(
      ['', '+', '++', '+++', '++++'].map(end => `né→1${end}`),
    )
  })

  it('fails the call at once where no event had an id, or one that no header can carry', async () => {
    for (const id of ['', 'a\u0001b', 'x'.repeat(5000)]) {
      const { server, wire } = await start(
        response => response.end(`id: ${id}\ndata: ${notification(1)}\n\n`),
        () => {},
      )
      wire.transport.send(request(1), { kind: 'request', id: 1 })
      await until(() => wire.failed.length === 1)
      expect(wire.failed[0]!.fault).toMatchObject({ code: 'upstream-crashed' })
      expect(resumes(server)).toEqual([])
    }
  })

  for (const status of [404, 405, 400, 200, 302]) {
    it(`fails the call where the server answers ${status} without a stream`, async () => {
      const { server, wire } = await start(
        response => response.end(primed('1', 0)),
        response => response.writeHead(status, { 'content-type': 'text/html', location: '/elsewhere' }).end(),
      )
      wire.transport.send(request(1), { kind: 'request', id: 1 })
      await until(() => wire.failed.length === 1)
      expect(wire.failed[0]!.fault).toMatchObject({ code: 'upstream-crashed' })
      expect(resumes(server)).toHaveLength(1)
    })
  }

  it('is polled for as long as the server ends it without anything new, at the pace that the server names', async () => {
    let left = 6
    const { server, wire } = await start(
      response => response.end(primed('1', 0)),
      response => response.writeHead(200, eventStream).end(left-- > 0 ? ': nothing yet\n\n' : `data: ${result(1)}\n\n`),
    )
    wire.transport.send(request(1), { kind: 'request', id: 1 })
    await until(() => wire.messages.length === 1)
    expect(resumes(server).map(lastId)).toEqual(Array(7).fill('1'))
  })

  it('is given up after five attempts that fail', async () => {
    const { server, wire } = await start(
      response => response.end(primed('1', 0)),
      response => response.writeHead(200, eventStream).write(`: still here\n\n${primed('1', 0)}`, () => response.destroy()),
    )
    wire.transport.send(request(1), { kind: 'request', id: 1 })
    await until(() => wire.failed.length === 1)
    expect(resumes(server)).toHaveLength(5)
    expect(wire.failed[0]!.fault.undelivered).not.toBe(true)
  })

  it('is asked for again where the server is busy, or gone for a while', async () => {
    let attempt = 0
    const { wire } = await start(
      response => response.end(primed('1', 0)),
      response => {
        attempt++
        if (attempt === 1) response.writeHead(503).end()
        else if (attempt === 2) response.destroy()
        else response.writeHead(200, eventStream).end(`data: ${result(1)}\n\n`)
      },
    )
    wire.transport.send(request(1), { kind: 'request', id: 1 })
    await until(() => wire.messages.length === 1)
    expect(attempt).toBe(3)
  })

  it('is garbage where what goes on with it is larger than the limit', async () => {
    const { wire } = await start(
      response => response.end(primed('1', 0)),
      response => response.writeHead(200, eventStream).write(`data: ${'x'.repeat(200_000)}`),
    )
    wire.transport.send(request(1), { kind: 'request', id: 1 })
    await until(() => wire.failed.length === 1)
    expect(wire.failed[0]!.fault.code).toBe('upstream-garbage')
  })

  it('is not asked for again once nobody waits for the answer: abandoned, answered, or the connection closed', async () => {
    let get: ServerResponse | undefined
    const { server, wire } = await start(
      response => response.end(primed('1', 0)),
      response => {
        get = response.writeHead(200, eventStream)
        get.flushHeaders()
      },
    )
    wire.transport.send(request(1), { kind: 'request', id: 1 })
    await until(() => get !== undefined)
    const closed = once(get!, 'close')
    wire.transport.abandon!(1)
    await closed
    get = undefined
    wire.transport.send(request(2), { kind: 'request', id: 2 })
    await until(() => get !== undefined)
    get!.end(`data: ${result(2)}\n\n`)
    await until(() => wire.messages.length === 1)
    get = undefined
    wire.transport.send(request(3), { kind: 'request', id: 3 })
    await until(() => get !== undefined)
    const cut = once(get!, 'close')
    await wire.transport.close()
    await cut
    expect(resumes(server)).toHaveLength(3)
    expect(wire.failed).toEqual([])
  })

  it('of a stateless server is never asked for again', async () => {
    const { server, wire } = await start(
      response => response.end(primed('1', 0)),
      () => {},
    )
    wire.transport.send(request(1), { kind: 'request', id: 1, headers: { 'mcp-method': 'tools/call' } })
    await until(() => wire.failed.length === 1)
    expect(resumes(server)).toEqual([])
  })

  it('wherever it breaks, brings each message once and in order', async () => {
    const piece = fc.record({ events: fc.nat({ max: 3 }), torn: fc.nat({ max: 60 }), destroy: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 8 }), fc.array(piece, { maxLength: 4 }), async (count, pieces) => {
        const all = [...Array.from({ length: count }, (_, n) => notification(n)), result(1)]
        const events = all.map((text, n) => `id: ${n}\ndata: ${text}\n\n`)
        let part = 0
        const say = (response: ServerResponse, from: number): void => {
          const { events: whole, torn, destroy } = pieces[part++] ?? { events: events.length, torn: 0, destroy: false }
          const rest = events.slice(from)
          const text = rest.slice(0, whole).join('') + (rest[whole] ?? '').slice(0, torn)
          // The first event goes in any case: without an id there is nothing to come back to.
          response.write(`${from === 0 ? primed('-1', 0) : ''}${text}: \n`, () => (destroy ? response.destroy() : response.end()))
        }
        const { server, wire } = await start(
          response => say(response, 0),
          (response, id) => say(response.writeHead(200, eventStream), Number(id) + 1),
        )
        wire.transport.send(request(1), { kind: 'request', id: 1 })
        await until(() => wire.messages.length === all.length || wire.failed.length > 0)
        expect(wire.messages).toEqual(all.map(text => ({ text, during: 1 })))
        expect(wire.failed).toEqual([])
        await wire.close()
        await server.close()
      }),
      { numRuns: 40 },
    )
  })
})

describe('the standing stream', () => {
  it('is opened again behind its last event, when the server wants it', async () => {
    let opens = 0
    const server = opened(
      await serve((_incoming, response) => {
        opens++
        response.writeHead(200, eventStream)
        if (opens < 4) response.end(`${opens === 1 ? 'retry: 30\n' : ''}id: n${opens}\ndata: ${notification(opens)}\n\n`)
        else response.flushHeaders()
      }),
    )
    const wire = opened(await connectWire(createHttpTransport, `${server.origin}/mcp`))
    wire.transport.negotiated!('2025-11-25')
    await until(() => opens === 4)
    expect(server.requests.map(lastId)).toEqual([undefined, 'n1', 'n2', 'n3'])
    expect(wire.messages).toEqual([1, 2, 3].map(n => ({ text: notification(n), during: undefined })))
  })

  it('is not opened again where the connection was closed meanwhile', async () => {
    const server = opened(await serve((_incoming, response) => response.writeHead(200, eventStream).end('retry: 20\nid: 1\ndata:\n\n')))
    const wire = opened(await connectWire(createHttpTransport, `${server.origin}/mcp`))
    wire.transport.negotiated!('2025-11-25')
    await until(() => server.requests.length === 2)
    await wire.transport.close()
    const made = server.requests.length
    await new Promise(resolve => setTimeout(resolve, 60))
    expect(server.requests.length - made).toBeLessThanOrEqual(1)
  })
})

it('a server of the SDK that lets go of the connection during a call is asked for the rest, and the client notices nothing', async () => {
  const peer = opened(await startSdkStreamable(20))
  const gateway = opened(await startTestGateway({ servers: [peer.server('up')] }))
  const client = await connectHttp(gateway)
  for (const id of [1, 2]) {
    const { messages } = await client.post(call(id, 'up__poll', '{"x":1}', '{"progressToken":"p"}'))
    expect(messages.map(text => JSON.parse(text).params?.progress ?? JSON.parse(text).result.content[0].text)).toEqual([1, 2, '{"x":1}'])
  }
  expect(peer.requests.filter(one => one.method === 'GET' && one.headers['last-event-id'] !== undefined)).toHaveLength(2)
})
