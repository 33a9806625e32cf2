// A server that says more than anybody takes: what the gateway holds of it is bounded, the call is answered all the same, and others are served.
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { call, connectHttp, connectStdio } from '../data-plane/clients.ts'
import { plugin, startTestGateway, until } from '../data-plane/gateway.ts'
import { type HttpReceived, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const MB = 1_000_000

function progress(received: Received, n: number, pad = ''): string {
  const token = received.message.params._meta.progressToken
  return `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":${n},"message":"${pad}"}}`
}

it('progress by the hundred MB for a client that does not read costs little, and its neighbour is served meanwhile', async () => {
  const upstream = opened(
    await startHttpUpstream({
      tools: ['{"name":"flood","inputSchema":{"type":"object"}}', '{"name":"echo","inputSchema":{"type":"object"}}'],
      on: {
        'tools/call': received => {
          if (received.message.params.name === 'echo') received.result('{"content":[],"fine":true}')
        },
      },
    }),
  )
  const heard = plugin('hears', [], { onNotification: () => ({ kind: 'pass' }) })
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [heard] }))
  const [slow, good] = [await connectHttp(gateway), await connectHttp(gateway)]
  const body = call(1, 'up__flood', '{}', '{"progressToken":"p"}')
  const socket = connect({ port: gateway.port, host: '127.0.0.1' }).pause()
  opened({ close: async () => void socket.destroy() })
  socket.write(
    `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\nmcp-session-id: ${slow.sessionId}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  const received = (await upstream.next('tools/call')) as HttpReceived
  const before = process.memoryUsage().rss
  const pad = 'x'.repeat(1000)
  for (let n = 0; n < 300; n++) {
    for (let i = 0; i < 1000; i++) received.say(progress(received, n * 1000 + i, pad))
    await until(() => received.response.writableLength === 0)
    if (n % 30 === 0) expect((await good.ask('tools/call', { name: 'up__echo' })).result.fine).toBe(true)
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(250 * MB)
  const session = gateway.gateway.sessions.find(slow.sessionId)!
  received.result('{"content":[]}')
  await until(() => session.inflight.size === 0)
  expect(gateway.gateway.board.gate('up').view).toMatchObject({ underWay: 0, breaker: 'closed' })
})

it.each(['of a call', 'outside of calls'])(
  'notifications %s that hooks are slow to clear wait within bounds; the rest is dropped',
  async where => {
    const upstream = opened(await startStdioUpstream({ capabilities: '{"tools":{},"logging":{}}', on: { 'tools/call': leaveOpen } }))
    let asked = 0
    let release = (): void => {}
    const held = new Promise<void>(resolve => (release = resolve))
    const slow = plugin('slow', [], {
      async onNotification() {
        asked++
        await held
        return { kind: 'pass' }
      },
    })
    const servers = [upstream.server('up')]
    const gateway = opened(await startTestGateway({ servers, plugins: [slow], limits: { hookMs: 60_000 }, stdio: true }))
    const client = await connectStdio(gateway)
    client.write(call(1, 'up__echo', '{}', '{"progressToken":"p"}'))
    const received = await upstream.next('tools/call')
    const log = (n: number): string => `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${n}}}`
    for (let n = 0; n < 20_000; n++) received.say(where === 'of a call' ? progress(received, n) : log(n))
    // The ping is answered when everything before it was read.
    received.say('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    await upstream.next('')
    expect(asked).toBe(1)
    received.result('{"content":[]}')
    release()
    expect((await client.find(message => message.id === 1)).result).toEqual({ content: [] })
    await until(() => asked === 10_000)
    await client.ask('ping')
    expect(client.lines.filter(line => line.includes('"method":"notifications/')).length).toBe(10_000)
  },
)
