// Every answer reaches the one request it belongs to: equal ids, reordered, duplicated and late replies deliver nothing to anyone else.
import { describe, expect, it } from 'vitest'
import { call, connectHttp } from '../data-plane/clients.ts'
import { startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import type { Received } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

describe('correlation', () => {
  it('an answer that comes after the time limit is counted and reaches nobody', async () => {
    const upstream = await startStdioUpstream({ on: { 'tools/call': () => {} } })
    const server = upstream.server('up', { timeout: { startMs: 10_000, callMs: 60, idleMs: 0 } })
    const gateway = await startTestGateway({ servers: [server] })
    const client = await connectHttp(gateway)
    const first = JSON.parse((await client.post(call(1, 'up__echo'))).text)
    expect(first.error.data.mcpgw.code).toBe('upstream-timeout')
    const late = await upstream.next('tools/call')
    const second = client.post(call(1, 'up__echo'))
    const fresh = await upstream.next('tools/call')
    late.result('{"content":[],"whose":"first"}')
    fresh.result('{"content":[],"whose":"second"}')
    expect(JSON.parse((await second).text).result.whose).toBe('second')
    expect(gateway.gateway.board.gate('up').view.late).toBe(1)
    await gateway.stop()
    await upstream.close()
  })

  it('over HTTP an answer in the stream of another call is believed by neither', async () => {
    const upstream = await startHttpUpstream({ on: { 'tools/call': () => {} } })
    const gateway = await startTestGateway({ servers: [upstream.server('up')] })
    const [a, b] = [await connectHttp(gateway), await connectHttp(gateway)]
    const first = a.post(call(1, 'up__echo'))
    const one = await upstream.next('tools/call')
    const second = b.post(call(1, 'up__echo'))
    const two = await upstream.next('tools/call')
    one.say(`{"jsonrpc":"2.0","id":${two.id},"result":{"content":[],"forged":true}}`)
    one.result('{"content":[],"whose":1}')
    two.result('{"content":[],"whose":2}')
    expect(JSON.parse((await first).messages.at(-1)!).result.whose).toBe(1)
    expect(JSON.parse((await second).messages.at(-1)!).result.whose).toBe(2)
    await gateway.stop()
    await upstream.close()
  })

  it('equal progress tokens of two clients reach each its own, with the type it was given in; after the answer none comes', async () => {
    const upstream = await startStdioUpstream({ on: { 'tools/call': () => {} } })
    const gateway = await startTestGateway({ servers: [upstream.server('up', { shared: true })] })
    const clients = [await connectHttp(gateway), await connectHttp(gateway), await connectHttp(gateway)]
    const tokens = ['"t"', '"t"', '7']
    const streams = []
    for (const [i, client] of clients.entries()) {
      streams.push(client.start(call(1, 'up__echo', '{}', `{"progressToken":${tokens[i]},"keep":1.0}`)))
      await upstream.next('tools/call')
    }
    const received = upstream.of('tools/call')
    expect(new Set(received.map(one => one.message.params._meta.progressToken)).size).toBe(3)
    expect(received[0]!.text).toContain('"keep":1.0')
    const progress = (one: Received, n: number): void =>
      one.say(
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${one.message.params._meta.progressToken},"progress":${n}}}`,
      )
    for (const [i, one] of [...received.entries()].reverse()) {
      progress(one, i)
      one.result(`{"content":[],"n":${i}}`)
      progress(one, 100 + i)
    }
    received[0]!.say('{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":55}}')
    for (const [i, stream] of streams.entries()) {
      const { messages } = await (await stream).done
      expect(messages.map(text => JSON.parse(text))).toEqual([
        { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: JSON.parse(tokens[i]!), progress: i } },
        { jsonrpc: '2.0', id: 1, result: { content: [], n: i } },
      ])
    }
    await gateway.stop()
    await upstream.close()
  })
})
