// Clients that do not read: what they leave unread is bounded, for each and for all together; the others are served, and who was cut can resume.

import { readdirSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Unread } from '../../../core/downstream/unread.ts'
import { call, connectHttp } from '../data-plane/clients.ts'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { type HttpReceived, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'

const opened = closeAfterEach()

/** A raw connection; with `reads` false nothing is ever taken from it. */
function dial(port: number, text: string, reads: boolean): { socket: Socket; got: () => string; closed: () => boolean } {
  let got = ''
  let closed = false
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  if (reads) socket.on('data', chunk => (got += chunk))
  else socket.pause()
  socket.write(text)
  opened({ close: async () => void socket.destroy() })
  return { socket, got: () => got, closed: () => closed }
}

describe('what is unread', () => {
  async function serve(listener: RequestListener): Promise<number> {
    const server = createServer(listener)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    opened({
      async close() {
        server.closeAllConnections()
        await new Promise(resolve => server.close(resolve))
      },
    })
    return (server.address() as AddressInfo).port
  }

  /** Responses to clients that do not read. */
  async function laggards(count: number): Promise<ServerResponse[]> {
    const responses: ServerResponse[] = []
    const port = await serve((_request, response) => void responses.push(response.writeHead(200)))
    for (let i = 0; i < count; i++) {
      dial(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', false)
      await until(() => responses.length === i + 1)
    }
    return responses
  }
  const MB = 1_000_000
  const isCut = (response: ServerResponse): boolean => response.req.socket.destroyed
  const say = (unread: Unread, response: ServerResponse, bytes: number): void => {
    response.write(Buffer.alloc(bytes))
    unread.note(response)
  }

  it('of all together stays within the budget: over it, those that lag most are cut, the others live', async () => {
    const unread = new Unread({ each: 100 * MB, total: 40 * MB, stallMs: 60_000 })
    const all = await laggards(6)
    for (const [i, response] of all.entries()) say(unread, response, (i + 5) * MB)
    // 5 + 6 + 7 + 8 + 9 + 10, less what the system buffers.
    expect(unread.held).toBeLessThanOrEqual(40 * MB)
    expect([isCut(all.at(-1)!), isCut(all[0]!)]).toEqual([true, false])
    for (const response of all) response.destroy()
    unread.recount()
    expect(unread.held).toBe(0)
  })

  it('of all together that lag alike costs the newest theirs, also where the system took a little less of the oldest', async () => {
    const unread = new Unread({ each: 100 * MB, total: 40 * MB, stallMs: 60_000 })
    const all = await laggards(6)
    for (const [i, response] of all.entries()) say(unread, response, i === 0 ? 11 * MB : 10 * MB)
    expect(all.map(isCut).slice(0, 2)).toEqual([false, false])
    expect(all.map(isCut)).toContain(true)
    expect(unread.held).toBeLessThanOrEqual(40 * MB)
  })

  it('of one connection is bounded before more is said, so that one long message reaches a client that reads', async () => {
    const unread = new Unread({ each: 10 * MB, total: 1000 * MB, stallMs: 60_000 })
    const [slow] = await laggards(1)
    say(unread, slow!, 30 * MB)
    expect([isCut(slow!), unread.allows(slow!)]).toEqual([false, false])
    expect(isCut(slow!)).toBe(true)
  })

  it('by a client that takes nothing for too long is dropped with its connection', async () => {
    const unread = new Unread({ each: 100 * MB, total: 1000 * MB, stallMs: 50 })
    const [slow] = await laggards(1)
    say(unread, slow!, 30 * MB)
    await until(() => isCut(slow!))
    unread.recount()
    expect(unread.held).toBe(0)
  })

  it('of requests in one piece counts together, also of those whose turn has not come', async () => {
    const unread = new Unread({ each: 100 * MB, total: 20 * MB, stallMs: 60_000 })
    const responses: ServerResponse[] = []
    const server = await serve((_request, response) => void responses.push(response.writeHead(200)))
    const other = dial(server, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', false)
    await until(() => responses.length === 1)
    say(unread, responses[0]!, 8 * MB)
    dial(server, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(5), false)
    await until(() => responses.length === 6)
    // The first of the five is long in coming, so that the others wait for it.
    for (const response of responses.slice(2)) say(unread, response, 4 * MB)
    expect([responses.map(isCut), other.closed()]).toEqual([[false, true, true, true, true, true], false])
    expect(unread.held).toBeLessThan(9 * MB)
  })

  it('is forgotten once it was read, though nothing more is said', async () => {
    const unread = new Unread({ each: 100 * MB, total: 10 * MB, stallMs: 60_000 })
    const port = await serve((_request, response) => {
      response.writeHead(200)
      say(unread, response, 5 * MB)
      response.end()
    })
    const url = `http://127.0.0.1:${port}`
    for (let i = 0; i < 20; i++) expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(5 * MB)
    await until(() => {
      unread.recount()
      return unread.held === 0
    })
  })
})

it('a client that stops reading its stream is cut within bounds, and gets the rest where it resumes', async () => {
  const upstream = opened(await startHttpUpstream({ on: { 'tools/call': leaveOpen } }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], limits: { messageBytes: 4_000_000 } }))
  const client = await connectHttp(gateway)
  const body = call(1, 'up__echo')
  const head = `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: */*\r\nmcp-session-id: ${client.sessionId}\r\n`
  const slow = dial(gateway.port, `${head}content-length: ${body.length}\r\n\r\n${body}`, false)
  const received = await upstream.next('tools/call')
  const said = (n: number): string =>
    `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","n":${n},"data":"${'x'.repeat(100_000)}"}}`
  const session = gateway.gateway.sessions.find(client.sessionId)!
  let n = 0
  while (session.inflight.all()[0]!.channel.away !== true) {
    received.say(said(++n))
    await until(() => (received as HttpReceived).response.writableLength === 0)
  }
  // What the system buffers for both ends counts too: the gateway cut it at what it may hold of one connection.
  expect(n).toBeGreaterThan(20)
  const got = await new Promise<string>(resolve => {
    slow.socket.on('close', () => resolve(text))
    let text = ''
    slow.socket.on('data', chunk => (text += chunk))
    slow.socket.resume()
  })
  const ids = [...got.matchAll(/^id: (\S+)$/gm)].map(match => match[1]!)
  received.result('{"content":[]}')
  const rest = (await (await client.listen(ids.at(-2))).done).messages.map(text => JSON.parse(text))
  expect(rest.at(-1).result).toEqual({ content: [] })
  // Of the session as much is kept as the longest message has: the newest, without a gap among them.
  const numbers = rest.slice(0, -1).map(message => message.params.n)
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => n - numbers.length + 1 + i))
})

const crowd = Number(process.env.CROWD ?? 150)
const descriptors = (): number => readdirSync('/proc/self/fd').length
const standing = (sessionId: string): string =>
  `GET /mcp HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nmcp-session-id: ${sessionId}\r\n\r\n`
const said = (data: string): string => `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${data}"}}`

it(`${crowd} clients that do not read and as many half-sent requests: who reads is served, who does not is cut, memory stays bounded`, async () => {
  const upstream = opened(await startHttpUpstream({ stream: true, capabilities: '{"tools":{},"logging":{}}' }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], limits: { messageBytes: 2_000_000 } }))
  const good = await connectHttp(gateway)
  await good.ask('tools/list')
  await upstream.listening()
  const stream = await good.listen()
  const before = descriptors()
  const half = 'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{'
  const sockets: Socket[] = []
  for (let i = 0; i < crowd; i++) {
    const client = await connectHttp(gateway)
    await client.ask('tools/list')
    sockets.push(dial(gateway.port, standing(client.sessionId), false).socket, dial(gateway.port, half, true).socket)
  }
  await until(() => descriptors() >= before + 4 * crowd)
  const rss = process.memoryUsage().rss
  for (let i = 0; i < 12; i++) {
    upstream.tell(said(String(i).padEnd(1_000_000)))
    expect((await stream.next()).params.data.trim()).toBe(String(i))
    expect((await good.ask('ping')).result).toEqual({})
  }
  // Both ends of each connection are in this process; of those that were cut one end is closed.
  await until(() => descriptors() <= before + 3 * crowd + 10)
  expect(process.memoryUsage().rss - rss).toBeLessThan(500e6)
  for (const socket of sockets) socket.destroy()
  await until(() => Math.abs(descriptors() - before) <= 10)
  expect((await good.ask('ping')).result).toEqual({})
}, 60_000)

it(`${crowd} streams are all served at once, and nothing of them is left`, async () => {
  const upstream = opened(await startHttpUpstream({ stream: true, capabilities: '{"tools":{},"logging":{}}' }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')] }))
  const first = await connectHttp(gateway)
  await first.ask('tools/list')
  await upstream.listening()
  const before = descriptors()
  const streams: ReturnType<typeof dial>[] = []
  for (let i = 0; i < crowd; i++) {
    const client = await connectHttp(gateway)
    await client.ask('tools/list')
    streams.push(dial(gateway.port, standing(client.sessionId), true))
  }
  await until(() => streams.every(({ got }) => got().includes('data: \n\n')))
  upstream.tell(said('to all'))
  await until(() => streams.every(({ got }) => got().includes('to all')))
  for (const { socket } of streams) socket.destroy()
  await until(() => Math.abs(descriptors() - before) <= 10)
})
