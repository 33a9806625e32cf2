// The official client behind a network that breaks: it comes back by itself, and the caller never learns of it.

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, it } from 'vitest'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'

const opened = closeAfterEach()

/** Passes bytes on to the port, until `cut` breaks every connection that stands. */
async function breakable(port: number): Promise<{ url: URL; cut: () => number; close(): Promise<void> }> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer(near => {
    const far = connect(port, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
        pairs.delete(pair)
      })
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const cut = (): number => {
    const count = pairs.size
    for (const [near, far] of pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    return count
  }
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`),
    cut,
    async close() {
      cut()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function world() {
  const upstream = opened(
    await startHttpUpstream({ stream: true, capabilities: '{"tools":{},"logging":{}}', on: { 'tools/call': leaveOpen } }),
  )
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')] }))
  const network = opened(await breakable(gateway.port))
  const client = new Client({ name: 'sdk', version: '1' }, { capabilities: { sampling: {} } })
  const transport = new StreamableHTTPClientTransport(network.url, {
    reconnectionOptions: { initialReconnectionDelay: 5, maxReconnectionDelay: 5, reconnectionDelayGrowFactor: 1, maxRetries: 20 },
  })
  await client.connect(transport as never)
  opened({ close: () => client.close() })
  return { upstream, gateway, network, client, transport }
}

const progressOf = (upstream: HttpUpstream, n: number): string => {
  const { progressToken } = upstream.of('tools/call').at(-1)!.message.params._meta
  return `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${progressToken},"progress":${n}}}`
}

it('a call survives its connection being cut again and again: progress comes once each, questions are answered, the answer arrives', async () => {
  const { upstream, network, client } = await world()
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: 'yes' },
  }))
  const progress: number[] = []
  const answer = client.callTool({ name: 'up__echo', arguments: {} }, undefined, { onprogress: one => progress.push(one.progress) })
  const received = await upstream.next('tools/call')
  for (let n = 1; n <= 10; n++) {
    received.say(progressOf(upstream, n))
    await until(() => progress.includes(n))
    expect(network.cut()).toBeGreaterThan(0)
  }
  received.say('{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}')
  expect((await upstream.next('')).message.result.content.text).toBe('yes')
  network.cut()
  received.result('{"content":[{"type":"text","text":"done"}]}')
  expect((await answer).content).toEqual([{ type: 'text', text: 'done' }])
  expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

it('what a server says outside of calls comes once each, though the standing stream is cut', async () => {
  const { upstream, gateway, network, client, transport } = await world()
  const heard: unknown[] = []
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.data))
  await client.listTools()
  await upstream.listening()
  const session = gateway.gateway.sessions.find(transport.sessionId!)!
  await until(() => session.stream?.open === true)
  for (let n = 1; n <= 10; n++) {
    upstream.tell(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${n}}}`)
    if (n % 3 === 0) network.cut()
    else await until(() => heard.includes(n))
  }
  await until(() => heard.length >= 10)
  expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

it('a client that was started anew takes up a call of the one before, by session and event id', async () => {
  const { upstream, gateway, client, transport } = await world()
  let token = ''
  let progressed = false
  const first = client.callTool({ name: 'up__echo', arguments: {} }, undefined, {
    onprogress: () => {
      progressed = true
    },
    onresumptiontoken: given => {
      token = given
    },
  })
  first.catch(() => {})
  const received = await upstream.next('tools/call')
  received.say(progressOf(upstream, 1))
  await until(() => progressed)
  const { sessionId, protocolVersion } = transport
  await client.close()
  received.result('{"content":[{"type":"text","text":"late"}]}')
  const again = new StreamableHTTPClientTransport(new URL(gateway.url), { sessionId: sessionId! })
  again.setProtocolVersion(protocolVersion!)
  const got = new Promise(resolve => {
    again.onmessage = resolve
  })
  await again.start()
  await again.resumeStream(token)
  expect(await got).toMatchObject({ result: { content: [{ text: 'late' }] } })
  await again.close()
})
