// A stateless client (2026-07-28) over HTTP: every request says who asks, and mirrors in headers what it says.
import { type Exchanged, type Streaming, send } from './clients.ts'
import type { TestGateway } from './gateway.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any

export const MODERN = '2026-07-28'
const V = 'io.modelcontextprotocol'

export interface StatelessOptions {
  readonly path?: string
  /** JSON text. */
  readonly capabilities?: string
  readonly name?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface RequestOptions {
  readonly id?: number | string
  /** Merged over those that the request mirrors; undefined takes one out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** More members of `_meta`. */
  readonly meta?: Readonly<Record<string, unknown>>
}

export interface StatelessClient {
  /** The answer to a request: its whole message, with the status. */
  ask(method: string, params?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<Any>
  start(method: string, params?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<Streaming>
  post(body: string, headers?: Readonly<Record<string, string | readonly string[]>>): Promise<Exchanged>
}

export function visitHttp(gateway: Pick<TestGateway, 'port'>, options: StatelessOptions = {}): StatelessClient {
  const { path = '/mcp', capabilities = '{}', name = 'visitor' } = options
  const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...options.headers }
  let nextId = 1

  function start(method: string, params: Readonly<Record<string, unknown>> = {}, how: RequestOptions = {}): Promise<Streaming> {
    const { _meta, ...rest } = params
    const meta = {
      ...envelope(capabilities, name),
      ...(_meta as object | undefined),
      ...how.meta,
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id: how.id ?? nextId++, method, params: { ...rest, _meta: meta } })
    const named = params.name ?? params.uri ?? params.taskId
    const mirrored = {
      ...common,
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(NAMED.has(method) && typeof named === 'string' && { 'mcp-name': named }),
      ...how.headers,
    }
    const headers = Object.fromEntries(Object.entries(mirrored).filter(([, value]) => value !== undefined))
    return send(gateway, 'POST', path, body, headers as Record<string, string>)
  }

  return {
    start,
    async ask(method, params, how) {
      const { status, messages } = await (await start(method, params, how)).done
      return { status, ...(messages.length === 0 ? {} : JSON.parse(messages[messages.length - 1]!)) }
    },
    post: async (body, headers) => (await send(gateway, 'POST', path, body, { ...common, ...headers } as Record<string, string>)).done,
  }
}

/** What stands in `_meta` of each request; `capabilities` is JSON text. */
export function envelope(capabilities: string, name = 'visitor'): Readonly<Record<string, unknown>> {
  return {
    [`${V}/protocolVersion`]: MODERN,
    [`${V}/clientInfo`]: { name, version: '1' },
    [`${V}/clientCapabilities`]: JSON.parse(capabilities),
  }
}

const NAMED: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read', 'tasks/get', 'tasks/update', 'tasks/cancel'])
