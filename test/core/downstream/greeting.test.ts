// A plugin that refuses an address is heard before the first request of that connection, however long it takes to say so.
import { once } from 'node:events'
import { request } from 'node:http'
import { expect, test } from 'vitest'
import type { ConnectionVerdict } from '../../../core/plugin/index.ts'
import type { Exchanged } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway } from '../data-plane/gateway.ts'

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

/** The first request of a connection of its own; `undefined` where the connection was cut. */
function knock(gateway: TestGateway): Promise<Exchanged | undefined> {
  return new Promise(resolve => {
    const outgoing = request(
      { port: gateway.port, host: '127.0.0.1', agent: false, method: 'POST', path: '/mcp', headers: HEADERS },
      response => {
        response.resume().on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text: '', messages: [] }))
      },
    )
    outgoing.on('error', () => resolve(undefined))
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
    expect((await knock(gateway))?.status).toBe(200)
    expect(door.requests).toEqual(['initialize'])
    door.say(refused ? REFUSED : { kind: 'pass' })
    expect((await knocking)?.status).toBe(refused ? undefined : 200)
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
