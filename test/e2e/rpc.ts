// A client that says exactly what a test wants said: one session over HTTP, or the bare lines of stdio.
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import type { Product } from './product.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** All messages of the body, parsed; the answer to the request is the last. */
  readonly messages: readonly Any[]
}

export const COMMON: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}
const agent = new Agent({ keepAlive: true })
/** Closes the connections that wait for a next request. */
export const hangUp = (): void => agent.destroy()

export interface Post {
  readonly path?: string
  readonly method?: string
  /** As names and values in turn, so that one may stand twice. */
  readonly headers?: readonly string[]
}

/** Rejects where the connection breaks before the whole answer is there. */
export function post(origin: string, body: string, { path = '/mcp', method = 'POST', headers = [] }: Post = {}): Promise<HttpAnswer> {
  const { hostname, port, host } = new URL(origin)
  const fixed = Object.entries({ host, 'content-length': String(Buffer.byteLength(body)), ...COMMON }).flat()
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, agent, method, path, headers: [...fixed, ...headers] }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the answer was cut off'))
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, messages: readMessages(text) })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function readMessages(text: string): Any[] {
  if (text === '') return []
  if (text.startsWith('{') || text.startsWith('[')) return [JSON.parse(text)]
  return text
    .split('\n')
    .filter(line => line.startsWith('data: ') && line.length > 6)
    .map(line => JSON.parse(line.slice(6)))
}

export function initialize(capabilities: object = {}, name = 'product-test'): string {
  const clientInfo = { name, version: '1' }
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities, clientInfo },
  })
}

export interface Session {
  readonly id: string
  /** The whole answering message. */
  ask(method: string, params?: object): Promise<Any>
  call(tool: string, args?: object): Promise<Any>
  /** As `ask`, with the messages that came before the answer. */
  hear(method: string, params?: object): Promise<readonly Any[]>
}

export async function openSession(origin: string, headers: readonly string[] = [], client?: string): Promise<Session> {
  const opened = await post(origin, initialize({}, client), { headers })
  const id = opened.headers['mcp-session-id']
  if (typeof id !== 'string') throw new Error(`no session: ${opened.status} ${opened.text}`)
  const own = [...headers, 'mcp-session-id', id]
  await post(origin, '{"jsonrpc":"2.0","method":"notifications/initialized"}', { headers: own })
  let next = 1
  const hear: Session['hear'] = async (method, params) =>
    (await post(origin, JSON.stringify({ jsonrpc: '2.0', id: next++, method, ...(params && { params }) }), { headers: own })).messages
  const ask: Session['ask'] = async (method, params) => (await hear(method, params)).at(-1)
  return { id, ask, hear, call: (tool, args = {}) => ask('tools/call', { name: tool, arguments: args }) }
}

/** What a refusal says: its code, however it was sent. */
export function codeOf(message: Any): string | undefined {
  return message?.error?.data?.mcpgw?.code ?? message?.result?._meta?.['mcpgw/refusal']?.code
}

export interface Lines {
  send(message: object): void
  /** The first message that fits. */
  find(fits: (message: Any) => boolean): Promise<Any>
  ask(method: string, params?: object): Promise<Any>
}

/** Speaks over the standard streams of a product that was started with --stdio. */
export async function speakLines({ child }: Product): Promise<Lines> {
  const messages: Any[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  let next = 1
  child.stdout?.on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) messages.push(JSON.parse(part))
    for (const look of waiting) look()
  })
  const lines: Lines = {
    send: message => void child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    find: fits =>
      new Promise(resolve => {
        const look = (): void => {
          const found = messages.find(fits)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    ask(method, params) {
      const id = next++
      lines.send({ id, method, ...(params && { params }) })
      return lines.find(message => message.id === id && message.method === undefined)
    },
  }
  child.stdin?.write(`${initialize()}\n`)
  await lines.find(message => message.id === 0)
  lines.send({ method: 'notifications/initialized' })
  return lines
}
