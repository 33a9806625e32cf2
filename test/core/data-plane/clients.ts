// Clients that say exactly what a test wants said, over HTTP and over the standard streams.
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import type { TestGateway } from './gateway.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any

export interface Exchanged {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Data of the events, where the answer was an event stream; else the one message, else nothing. */
  readonly messages: readonly string[]
}

/** A response whose parts are read as they come. */
export interface Streaming {
  readonly status: number
  readonly messages: string[]
  /** Ids of the events so far, also of those without data. */
  readonly ids: string[]
  /** All that came so far, as it came. */
  text(): string
  /** The next message that nobody has taken. */
  next(): Promise<Any>
  readonly done: Promise<Exchanged>
  /** Hangs up. */
  drop(): void
}

export interface HttpClient {
  readonly sessionId: string
  post(body: string | Uint8Array, headers?: Record<string, string>): Promise<Exchanged>
  /** Posts and reads the answer as it comes. */
  start(body: string, headers?: Record<string, string>): Promise<Streaming>
  /** The standing stream, or with `lastEventId` the one that the event was on. */
  listen(lastEventId?: string): Promise<Streaming>
  end(headers?: Record<string, string>): Promise<Exchanged>
  /** A request; the whole answering message, parsed. */
  ask(method: string, params?: unknown): Promise<Any>
}

export interface ClientOptions {
  readonly path?: string
  readonly version?: string
  /** JSON text. */
  readonly capabilities?: string
  readonly headers?: Record<string, string>
}

const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

export function send(
  gateway: Pick<TestGateway, 'port'>,
  method: string,
  path: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string>,
): Promise<Streaming> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port: gateway.port, host: '127.0.0.1', agent, method, path, headers }, response => {
      const messages: string[] = []
      const ids: string[] = []
      const isStream = response.headers['content-type'] === 'text/event-stream'
      let wake = (): void => {}
      let taken = 0
      let text = ''
      let read = 0
      let closed = false
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        for (let end = isStream ? text.indexOf('\n\n', read) : -1; end >= 0; end = text.indexOf('\n\n', read)) {
          for (const line of text.slice(read, end).split('\n')) {
            if (line.startsWith('id: ')) ids.push(line.slice(4))
            if (line.startsWith('data: ') && line.length > 6) messages.push(line.slice(6))
          }
          read = end + 2
        }
        wake()
      })
      const done = new Promise<Exchanged>(finish => {
        const end = (): void => {
          if (closed) return
          closed = true
          if (!isStream && text !== '') messages.push(text)
          wake()
          finish({ status: response.statusCode!, headers: response.headers, text, messages })
        }
        response.on('end', end)
        response.on('close', end)
        response.on('error', end)
      })
      resolve({
        status: response.statusCode!,
        messages,
        ids,
        text: () => text,
        done,
        drop: () => outgoing.destroy(),
        async next() {
          while (messages.length <= taken) {
            if (closed) throw new Error('the stream has ended')
            await new Promise<void>(go => (wake = go))
          }
          return JSON.parse(messages[taken++]!)
        },
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export async function connectHttp(gateway: TestGateway, options: ClientOptions = {}): Promise<HttpClient> {
  const { path = '/mcp', version = '2025-11-25', capabilities = '{}', headers: own = {} } = options
  const open = await send(gateway, 'POST', path, initialize(version, capabilities), { ...common, ...own })
  const opened = await open.done
  const sessionId = opened.headers['mcp-session-id']
  if (typeof sessionId !== 'string') throw new Error(`no session: ${opened.status} ${opened.text}`)
  const base = { ...common, ...own, 'mcp-session-id': sessionId }
  let nextId = 1
  const start: HttpClient['start'] = (body, headers) => send(gateway, 'POST', path, body, { ...base, ...headers })
  const post: HttpClient['post'] = async (body, headers) => (await send(gateway, 'POST', path, body, { ...base, ...headers })).done
  await post('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  return {
    sessionId,
    post,
    start,
    listen: lastEventId =>
      send(gateway, 'GET', path, undefined, lastEventId === undefined ? base : { ...base, 'last-event-id': lastEventId }),
    end: async headers => (await send(gateway, 'DELETE', path, undefined, { ...base, ...headers })).done,
    async ask(method, params) {
      const { messages } = await post(JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params }))
      return messages.length === 0 ? undefined : JSON.parse(messages[messages.length - 1]!)
    },
  }
}

export interface StdioClient {
  /** All lines so far. */
  readonly lines: string[]
  /** Called with each line, where a test sets it. */
  heard: ((line: string) => void) | undefined
  write(text: string | Uint8Array): void
  /** The next line that nobody has taken, parsed. */
  next(): Promise<Any>
  /** The first message that fits, of those from line `from` on, past or future; `next` will give it all the same. */
  find(fits: (message: Any) => boolean, from?: number): Promise<Any>
  ask(method: string, params?: unknown): Promise<Any>
}

export async function connectStdio(gateway: TestGateway, options: Omit<ClientOptions, 'path' | 'headers'> = {}): Promise<StdioClient> {
  const client = openStdio(gateway)
  client.write(initialize(options.version ?? '2025-11-25', options.capabilities ?? '{}'))
  await client.next()
  client.write('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  return client
}

/** Says nothing by itself. */
export function openStdio({ input, output }: TestGateway): StdioClient {
  const lines: string[] = []
  let rest = ''
  let taken = 0
  let nextId = 1000
  const waiting = new Set<() => void>()
  output.setEncoding('utf8')
  output.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
    if (client.heard !== undefined) for (const line of parts) client.heard(line)
    for (const wake of waiting) wake()
  })
  const change = (): Promise<void> =>
    new Promise(resolve => {
      const wake = (): void => {
        waiting.delete(wake)
        resolve()
      }
      waiting.add(wake)
    })
  const client: StdioClient = {
    lines,
    heard: undefined,
    write: text => void input.write(typeof text === 'string' ? `${text}\n` : text),
    async next() {
      while (lines.length <= taken) await change()
      return JSON.parse(lines[taken++]!)
    },
    async find(fits, from = 0) {
      for (let at = from; ; at++) {
        while (lines.length <= at) await change()
        const message = JSON.parse(lines[at]!)
        if (fits(message)) return message
      }
    },
    ask(method, params) {
      const id = nextId++
      client.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      return client.find(message => message.id === id && message.method === undefined, lines.length)
    },
  }
  return client
}

export function initialize(version: string, capabilities: string): string {
  return `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"${version}","capabilities":${capabilities},"clientInfo":{"name":"test","version":"1"}}}`
}

/** JSON text of a call. `args` is JSON text, or undefined to leave it out. */
export function call(id: number | string, name: string, args?: string, meta?: string): string {
  const members = [
    `"name":${JSON.stringify(name)}`,
    ...(args === undefined ? [] : [`"arguments":${args}`]),
    ...(meta === undefined ? [] : [`"_meta":${meta}`]),
  ]
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"tools/call","params":{${members.join(',')}}}`
}
