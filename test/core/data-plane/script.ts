// What an upstream of a test does with each message, whichever transport brings it; and what it has seen so far.

/** One message from the gateway, and the ways to answer it. `text` is what was received, byte for byte. */
export interface Received {
  readonly text: string
  readonly method: string
  /** JSON text of the id; undefined for notifications and responses. */
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever arrived
  readonly message: any
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The session or process that it came by. */
  readonly session: string
  /** One whole message, before or after the answer. */
  say(text: string): void
  /** One whole message, and the last of this exchange. */
  answer(text: string): void
  /** Answers; `json` is the JSON text of the result. */
  result(json: string): void
  error(code: number, message: string): void
}

export type Handler = (received: Received) => void

export interface ScriptOptions {
  /** JSON text of the capabilities that initialize declares. */
  readonly capabilities?: string
  /** JSON texts of tools. */
  readonly tools?: readonly string[]
  /** By method; `*` is for all others, answers of the client among them. */
  readonly on?: Readonly<Record<string, Handler>>
  /** A server of 2026-07-28: JSON text of the capabilities that server/discover tells. */
  readonly modern?: string
  /** Nothing of what is taken is kept: for very many messages. */
  readonly forgetful?: boolean
}

export interface Script {
  readonly seen: Received[]
  readonly handlers: Map<string, Handler>
  take(received: Received): void
  /** Messages of this method so far. */
  of(method: string): readonly Received[]
  /** The next message of this method that nobody has awaited yet. */
  next(method: string): Promise<Received>
}

export const echoTool: string = '{"name":"echo","inputSchema":{"type":"object"}}'

export function createScript(options: ScriptOptions): Script {
  const seen: Received[] = []
  const waiting: { method: string; give: (received: Received) => void }[] = []
  const queued: Received[] = []
  const handlers = new Map<string, Handler>(
    Object.entries({
      initialize: (received: Received) =>
        received.result(
          `{"protocolVersion":"2025-11-25","capabilities":${options.capabilities ?? '{"tools":{}}'},"serverInfo":{"name":"scripted","version":"1"}}`,
        ),
      ...(options.modern !== undefined && {
        initialize: (received: Received) => received.error(-32601, 'only 2026-07-28 is spoken here'),
        'server/discover': (received: Received) =>
          received.result(
            `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":${options.modern},"instructions":"be kind","ttlMs":0,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"scripted","version":"2"}}}`,
          ),
      }),
      'tools/list': (received: Received) => received.result(`{"tools":[${(options.tools ?? [echoTool]).join(',')}]}`),
      'tools/call': (received: Received) =>
        received.result(`{"content":[],"echo":${JSON.stringify(received.message.params.arguments ?? null)}}`),
      ...options.on,
    }),
  )
  return {
    seen,
    handlers,
    of: method => seen.filter(one => one.method === method),
    take(received) {
      if (!options.forgetful) seen.push(received)
      const at = waiting.findIndex(one => one.method === received.method)
      if (at >= 0) waiting.splice(at, 1)[0]!.give(received)
      else if (!options.forgetful) queued.push(received)
      const handler = handlers.get(received.method) ?? handlers.get('*')
      if (handler !== undefined) handler(received)
      else if (received.id !== undefined && received.method !== '') received.error(-32601, 'no such method')
    },
    next(method) {
      const at = queued.findIndex(one => one.method === method)
      if (at >= 0) return Promise.resolve(queued.splice(at, 1)[0]!)
      return new Promise(give => waiting.push({ method, give }))
    },
  }
}

export const leaveOpen: Handler = () => {}

/** An id as it was spelled, where it stands at its usual place. */
const WRITTEN_ID = /^\{"jsonrpc":"2\.0","id":("(?:[^"\\]|\\.)*"|-?\d+),/

/** Reads what tests need of a message; the method of a response is ''. */
export function describe(text: string): { method: string; id: string | undefined; message: unknown } {
  const message = JSON.parse(text)
  return {
    message,
    method: typeof message.method === 'string' ? message.method : '',
    id: message.method !== undefined && message.id !== undefined ? (WRITTEN_ID.exec(text)?.[1] ?? JSON.stringify(message.id)) : undefined,
  }
}
