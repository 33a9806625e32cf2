// Remote servers made with the official SDK, of both transports that it has for revisions with sessions.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { type EventStore, StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema,
  type JSONRPCMessage,
  ListRootsResultSchema,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { RemoteServer } from '../../../../core/config/schema.ts'

export interface SdkPeer {
  /** Methods of the HTTP requests so far, with the paths. */
  readonly requests: readonly { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[]
  readonly cancelled: unknown[]
  server(id: string, more?: Partial<RemoteServer>): RemoteServer
  /** Takes down every connection; sessions are kept. */
  disconnect(): void
  close(): Promise<void>
}

const TOOLS = ['echo', 'ask', 'count', 'wait', 'poll'].map(name => ({ name, inputSchema: { type: 'object' as const } }))

/** `poll` lets go of its connection and answers on the stream that is asked for afterwards; the others do as they are named. */
function createMcpServer(cancelled: unknown[]): Server {
  const server = new Server({ name: 'sdk', version: '1' }, { capabilities: { tools: {}, logging: {} } })
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: TOOLS }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const say = (progress: number) =>
      extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken: params._meta!.progressToken!, progress },
      })
    switch (params.name) {
      case 'ask': {
        const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema)
        return { content: [{ type: 'text', text: roots.map(root => root.uri).join() }] }
      }
      case 'count':
        for (let progress = 1; progress <= 3; progress++) await say(progress)
        break
      case 'wait':
        await once(extra.signal, 'abort')
        cancelled.push(params.arguments)
        break
      case 'poll':
        await say(1)
        extra.closeSSEStream!()
        await say(2)
        break
    }
    return { content: [{ type: 'text', text: JSON.stringify(params.arguments ?? null) }] }
  })
  return server
}

async function listen(
  path: string,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  cancelled: unknown[],
): Promise<SdkPeer> {
  const requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = []
  const http = createServer((request, response) => {
    requests.push({ method: request.method!, path: request.url!, headers: request.headers })
    handle(request, response).catch(error => response.destroy(error))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}${path}`
  return {
    requests,
    cancelled,
    server: (id, more) => ({
      kind: 'remote',
      id,
      name: id,
      url,
      headers: {},
      enabled: true,
      shared: false,
      protocol: 'auto',
      timeout: { startMs: 5000, callMs: 10_000, idleMs: 0 },
      ...more,
    }),
    disconnect: () => http.closeAllConnections(),
    async close() {
      const closed = once(http, 'close')
      http.close()
      http.closeAllConnections()
      await closed
    },
  }
}

/** HTTP+SSE: `GET /sse`, and `POST /messages`. */
export async function startSdkSse(): Promise<SdkPeer> {
  const cancelled: unknown[] = []
  const transports = new Map<string, SSEServerTransport>()
  return listen(
    '/sse',
    async (request, response) => {
      const url = new URL(request.url!, 'http://localhost')
      if (request.method === 'GET' && url.pathname === '/sse') {
        const transport = new SSEServerTransport('/messages?kind=older', response)
        transports.set(transport.sessionId, transport)
        await createMcpServer(cancelled).connect(transport)
      } else if (request.method === 'POST' && url.pathname === '/messages') {
        await transports.get(url.searchParams.get('sessionId')!)!.handlePostMessage(request, response)
      } else response.writeHead(404).end()
    },
    cancelled,
  )
}

/** Streamable HTTP whose streams can be resumed. */
export async function startSdkStreamable(retryMs: number): Promise<SdkPeer> {
  const cancelled: unknown[] = []
  const transports = new Map<string, StreamableHTTPServerTransport>()
  return listen(
    '/mcp',
    async (request, response) => {
      const known = transports.get(String(request.headers['mcp-session-id']))
      if (known !== undefined) return known.handleRequest(request, response)
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: createEventStore(),
        retryInterval: retryMs,
        onsessioninitialized: id => void transports.set(id, transport),
      })
      await createMcpServer(cancelled).connect(transport as Parameters<Server['connect']>[0])
      await transport.handleRequest(request, response)
    },
    cancelled,
  )
}

function createEventStore(): EventStore {
  const events: { readonly streamId: string; readonly message: JSONRPCMessage }[] = []
  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message }) - 1),
    getStreamIdForEventId: async id => events[Number(id)]?.streamId,
    async replayEventsAfter(id, { send }) {
      const { streamId } = events[Number(id)]!
      for (let at = Number(id) + 1; at < events.length; at++) {
        const { message } = events[at]!
        if (events[at]!.streamId === streamId && Object.keys(message).length > 0) await send(String(at), message)
      }
      return streamId
    },
  }
}
