// Servers that exist only in a test: they keep what they were sent, and answer what the test says.
import { Json } from '../mcp/json.ts'
import type { Answer, Awaitable, JsonObject, JsonValue } from '../plugin/index.ts'

/** A message as it went out. */
export interface Received {
  readonly server: string
  readonly method: string
  readonly params: Json
}

export interface Reply {
  /** Sends a notification before the answer. */
  notify(method: string, params: JsonObject): Promise<void>
}

/** Answers with a result; throw `upstreamError(...)` for an error. */
export type Handler = (request: Received, reply: Reply) => Awaitable<JsonValue>

export interface FakeUpstream {
  readonly received: readonly Received[]
  /** `where` is `server`, or `server/tool` for one tool. */
  on(where: string, handler: Handler): void
  send(request: Received, reply: Reply): Promise<Answer>
}

const ERROR: unique symbol = Symbol('upstream error')

export function upstreamError(code: number, message: string, data?: JsonValue): { readonly [ERROR]: JsonValue } {
  return { [ERROR]: { code, message, ...(data !== undefined && { data }) } }
}

/** Without a handler a call is answered with its own arguments, as text and as structuredContent. */
export function createFakeUpstream(): FakeUpstream {
  const handlers = new Map<string, Handler>()
  const received: Received[] = []
  return {
    received,
    on: (where, handler) => void handlers.set(where, handler),
    async send(request, reply) {
      received.push(request)
      const handler = handlers.get(`${request.server}/${request.params.string('name')}`) ?? handlers.get(request.server) ?? echo
      try {
        return { kind: 'result', payload: Json.of(await handler(request, reply)) }
      } catch (error) {
        if (typeof error !== 'object' || error === null || !(ERROR in error)) throw error
        return { kind: 'error', payload: Json.of((error as ReturnType<typeof upstreamError>)[ERROR]) }
      }
    },
  }
}

function echo({ params }: Received): JsonValue {
  const args = params.get('arguments')
  return { content: [{ type: 'text', text: args?.text ?? '{}' }], structuredContent: args?.value ?? {} }
}
