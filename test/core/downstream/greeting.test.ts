// A plugin that refuses an address is heard before the first request of that connection, however long it takes to say so.
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { ConnectionVerdict } from '../../../core/plugin/index.ts'
import type { Exchanged } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'

const INITIALIZE =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}'
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const REFUSED: ConnectionVerdict = { kind: 'deny', code: 'forbidden-address', reason: 'not from there' }

/** A plugin that gives the first connection the verdict that the test settles, and lets in all others. */
function doorkeeper(): {
  plugin: ReturnType<typeof plugin>
  say: (verdict: ConnectionVerdict) => void
  asked: Promise<void>
  requests: string[]
} {
  const requests: string[] = []
  let connections = 0
  let say!: (verdict: ConnectionVerdict) => void
  let heard!: () => void
  const verdict = new Promise<ConnectionVerdict>(resolve => {
    say = resolve
  })
  const asked = new Promise<void>(resolve => {
    heard = resolve
  })
  const door = plugin('door', [], {
    onConnection() {
      heard()
      return connections++ === 0 ? verdict : { kind: 'pass' }
    },
    onRequest({ action }) {
      requests.push(action)
      return { kind: 'pass' }
    },
  })
  return { plugin: door, say, asked, requests }
}

/** The first request of a connection of its own. */
function knock(gateway: TestGateway, headers = {}): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port: gateway.port, host: '127.0.0.1', agent: false, method: 'POST', path: '/mcp', headers: { ...HEADERS, ...headers } },
      response => {
        let text = ''
        response.setEncoding('utf8').on('data', part => {
          text += part
        })
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text, messages: [] }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(INITIALIZE)
  })
}

test.each([true, false])('over HTTP no request is looked at before a slow onConnection has answered (refused: %s)', async refused => {
  const door = doorkeeper()
  const gateway = await startTestGateway({ servers: [], plugins: [door.plugin] })
  try {
    const knocking = knock(gateway)
    await door.asked
    // A whole exchange of another connection: had the first request been let in, it would have been seen by now.
    expect((await knock(gateway)).status).toBe(200)
    expect(door.requests).toEqual(['initialize'])
    door.say(refused ? REFUSED : { kind: 'pass' })
    const { status, text } = await knocking
    expect(status).toBe(refused ? 403 : 200)
    if (refused) expect(JSON.parse(text).error).toMatchObject({ message: 'not from there', data: { mcpgw: { code: 'forbidden-address' } } })
    expect(door.requests).toEqual(refused ? ['initialize'] : ['initialize', 'initialize'])
  } finally {
    await gateway.stop()
  }
})

test.each([true, false])('over stdio nothing is read before a slow onConnection has answered (refused: %s)', async refused => {
  const door = doorkeeper()
  const gateway = await startTestGateway({ servers: [], plugins: [door.plugin], stdio: true })
  try {
    gateway.input.write(`${INITIALIZE}\n`)
    await door.asked
    door.say(refused ? REFUSED : { kind: 'pass' })
    const [line] = await once(gateway.output, 'data')
    const message = JSON.parse(String(line))
    if (refused) {
      expect(message).toMatchObject({ id: null, error: { message: 'not from there', data: { mcpgw: { code: 'forbidden-address' } } } })
      await gateway.gateway.stdio!.done
    } else expect(message).toMatchObject({ id: 1, result: { protocolVersion: '2025-06-18' } })
    expect(door.requests).toEqual(refused ? [] : ['initialize'])
  } finally {
    await gateway.stop()
  }
})

test('whoever is refused and says nothing is cut', async () => {
  const gateway = await startTestGateway({ servers: [], plugins: [plugin('door', [], { onConnection: () => REFUSED })] })
  try {
    const socket = connect(gateway.port, '127.0.0.1')
    await once(socket.resume(), 'close')
  } finally {
    await gateway.stop()
  }
})

test('through a trusted proxy each address is greeted once, and refused without harm to the others; the proxy itself is nobody', async () => {
  const greeted: (readonly [string | undefined, readonly string[] | undefined])[] = []
  const gone: (string | undefined)[] = []
  const requests: (string | undefined)[] = []
  const door = plugin('door', [], {
    onConnection({ ip, proxies }) {
      greeted.push([ip, proxies])
      return ip === '203.0.113.9' ? REFUSED : { kind: 'pass' }
    },
    onRequest({ peer }) {
      requests.push(peer.ip)
      return { kind: 'pass' }
    },
    onClose: ({ ip }) => void gone.push(ip),
  })
  const refused: (string | undefined)[] = []
  const telling = plugin('tell', [], { onRefused: ({ ip }) => void refused.push(ip) })
  const gateway = await startTestGateway({ servers: [], plugins: [door, telling], listen: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const asked: number[] = []
    for (const from of ['203.0.113.9', '198.51.100.1, 10.1.1.1', '203.0.113.9', '198.51.100.1, 10.1.1.1', '6.6.6.6, 203.0.113.9']) {
      const { status } = await new Promise<{ status: number }>((resolve, reject) => {
        const headers = { ...HEADERS, 'x-forwarded-for': from }
        request({ port: gateway.port, host: '127.0.0.1', agent, method: 'POST', path: '/mcp', headers }, response =>
          response.resume().on('end', () => resolve({ status: response.statusCode! })),
        )
          .on('error', reject)
          .end(INITIALIZE)
      })
      asked.push(status)
    }
    expect(asked).toEqual([403, 200, 403, 200, 403])
    expect(greeted).toEqual([
      ['203.0.113.9', ['127.0.0.1']],
      ['198.51.100.1', ['127.0.0.1', '10.1.1.1']],
    ])
    expect(requests).toEqual(['198.51.100.1', '198.51.100.1'])
    expect(refused).toEqual(['203.0.113.9'])
    agent.destroy()
    await until(() => gone.length === 2)
  } finally {
    await gateway.stop()
  }
})
