// A remote MCP server for tests, in this process: honest by default, and whatever a test scripts otherwise.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { RemoteServer } from '../../../core/config/schema.ts'
import { createScript, describe, type Received, type Script, type ScriptOptions } from './script.ts'

export interface HttpReceived extends Received {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface HttpUpstream extends Script {
  readonly url: string
  readonly port: number
  /** Open GET streams; only where `stream` is set. */
  readonly streams: Set<ServerResponse>
  readonly sessions: Set<string>
  readonly opened: number
  readonly deleted: readonly string[]
  /** All HTTP requests, of any method. */
  readonly requests: { readonly method: string; readonly headers: IncomingMessage['headers']; readonly rawHeaders: readonly string[] }[]
  tell(text: string): void
  /** Resolves when a GET stream is open. */
  listening(): Promise<void>
  server(id: string, more?: Partial<RemoteServer>): RemoteServer
  /** Takes down every connection as a crash would; the port is free afterwards. */
  crash(): Promise<void>
  restart(): Promise<void>
  close(): Promise<void>
}

export interface HttpUpstreamOptions extends ScriptOptions {
  /** Offers the GET stream. */
  readonly stream?: boolean
  readonly sessionless?: boolean
  /** Called before anything else; true where it has dealt with the request. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse, body: string) => boolean
}

export async function startHttpUpstream(options: HttpUpstreamOptions = {}): Promise<HttpUpstream> {
  const script = createScript(options)
  const streams = new Set<ServerResponse>()
  const sessions = new Set<string>()
  const deleted: string[] = []
  const requests: HttpUpstream['requests'] = []
  const sockets = new Set<Socket>()
  let listeners: (() => void)[] = []
  let opened = 0
  let port = 0
  let server: Server

  function handle(request: IncomingMessage, response: ServerResponse, body: string): void {
    requests.push({ method: request.method ?? '', headers: request.headers, rawHeaders: request.rawHeaders })
    if (options.intercept?.(request, response, body)) return
    const given = request.headers['mcp-session-id']
    if (request.method === 'DELETE') {
      deleted.push(String(given))
      sessions.delete(String(given))
      return void response.writeHead(200).end()
    }
    if (request.method === 'GET') {
      if (!options.stream) return void response.writeHead(405).end()
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      streams.add(response)
      response.on('close', () => streams.delete(response))
      for (const listener of listeners) listener()
      listeners = []
      return
    }
    const { method, id, message } = describe(body)
    let session = String(given ?? '')
    if (method === 'initialize' && options.modern === undefined) {
      session = `s${++opened}`
      sessions.add(session)
      if (!options.sessionless) response.setHeader('mcp-session-id', session)
    } else if (!options.sessionless && options.modern === undefined && !sessions.has(session)) return void response.writeHead(404).end()
    script.take(receivedOf({ text: body, method, id, message, session, request, response }))
    if (id === undefined && !response.headersSent) response.writeHead(202).end()
  }

  async function start(): Promise<void> {
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => handle(request, response, Buffer.concat(chunks).toString()))
    })
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  }

  async function crash(): Promise<void> {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    for (const socket of sockets) socket.resetAndDestroy()
    sessions.clear()
    await closed
  }

  await start()
  return {
    ...script,
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    streams,
    sessions,
    get opened() {
      return opened
    },
    deleted,
    requests,
    tell(text: string) {
      for (const stream of streams) stream.write(`data: ${text}\n\n`)
    },
    async listening() {
      if (streams.size === 0) await new Promise<void>(resolve => listeners.push(resolve))
    },
    server: (id: string, more: Partial<RemoteServer> = {}): RemoteServer => ({
      kind: 'remote',
      id,
      name: id,
      url: `http://127.0.0.1:${port}/mcp`,
      headers: {},
      enabled: true,
      shared: false,
      protocol: 'legacy',
      timeout: { startMs: 5000, callMs: 10_000, idleMs: 0 },
      ...more,
    }),
    crash,
    restart: start,
    close: crash,
  }
}

function receivedOf(about: {
  text: string
  method: string
  id: string | undefined
  message: unknown
  session: string
  request: IncomingMessage
  response: ServerResponse
}): HttpReceived {
  const { response, id } = about
  const say = (text: string): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${text}\n\n`)
  }
  const answer = (text: string): void => {
    if (response.headersSent) {
      say(text)
      response.end()
    } else response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  }
  return {
    ...about,
    headers: about.request.headers,
    say,
    answer,
    result: json => answer(`{"jsonrpc":"2.0","id":${id},"result":${json}}`),
    error: (code, message) => answer(`{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":${JSON.stringify(message)}}}`),
  }
}
