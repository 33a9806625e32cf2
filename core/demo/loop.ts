// The JSON-RPC loop of the bundled demo servers: MCP over stdio in its sessionful revisions, with nothing but Node.
import { createLineFramer } from '../mcp/framer.ts'
import { type Call, DemoError, type Fields, type Handler, isFields } from './protocol.ts'

export interface DemoServer {
  readonly name: string
  readonly title: string
  readonly instructions: string
  readonly capabilities: Fields
  /** By MCP method; `initialize`, `ping` and the notifications are handled here. */
  readonly methods: Readonly<Record<string, Handler>>
}

type Id = string | number
type Waiting = { readonly resolve: (result: Fields) => void; readonly reject: (error: Error) => void }

const revisions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

/** Serves standard input until it ends. */
export function serve(server: DemoServer): void {
  const running = new Map<Id, AbortController>()
  const waiting = new Map<Id, Waiting>()
  let clientCapabilities: Fields = {}
  let lastId = 0

  function write(message: Fields): void {
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }

  function initialize(params: Fields): Fields {
    clientCapabilities = isFields(params.capabilities) ? params.capabilities : {}
    const asked = params.protocolVersion
    return {
      protocolVersion: revisions.find(revision => revision === asked) ?? revisions[0],
      capabilities: server.capabilities,
      serverInfo: { name: server.name, title: server.title, version: '1.0.0' },
      instructions: server.instructions,
    }
  }

  function receive(line: Buffer): void {
    let message: unknown
    try {
      message = JSON.parse(line.toString('utf8'))
    } catch {
      write({ id: null, error: { code: -32700, message: 'parse error' } })
      return
    }
    if (!isFields(message)) return write({ id: null, error: { code: -32600, message: 'invalid request' } })
    const { id, method } = message
    const params = isFields(message.params) ? message.params : {}
    if (typeof method !== 'string') settle(message)
    else if (typeof id === 'string' || typeof id === 'number') void answer(id, method, params)
    else if (method === 'notifications/cancelled') running.get(params.requestId as Id)?.abort()
  }

  async function answer(id: Id, method: string, params: Fields): Promise<void> {
    const cancel = new AbortController()
    running.set(id, cancel)
    try {
      const result = await handle(method, params, cancel.signal)
      // Spec: basic/utilities/cancellation: a cancelled request gets no answer.
      if (!cancel.signal.aborted) write({ id, result })
    } catch (error) {
      const code = error instanceof DemoError ? error.code : -32603
      if (!cancel.signal.aborted) write({ id, error: { code, message: error instanceof Error ? error.message : 'internal error' } })
    }
    running.delete(id)
  }

  function handle(method: string, params: Fields, signal: AbortSignal): Fields | Promise<Fields> {
    if (method === 'initialize') return initialize(params)
    if (method === 'ping') return {}
    const handler = Object.hasOwn(server.methods, method) ? server.methods[method] : undefined
    if (handler === undefined) throw new DemoError(-32601, 'method not found')
    return handler(params, callOf(params, signal))
  }

  function callOf(params: Fields, signal: AbortSignal): Call {
    const token = isFields(params._meta) ? params._meta.progressToken : undefined
    return {
      signal,
      clientCan: capability => Object.hasOwn(clientCapabilities, capability),
      notify: (method, about) => write({ method, params: about }),
      progress(progress, total, message) {
        if (token === undefined || signal.aborted) return
        write({ method: 'notifications/progress', params: { progressToken: token, progress, total, message } })
      },
      request(method, about) {
        const id = `${server.name}-${++lastId}`
        signal.addEventListener('abort', () => waiting.get(id)?.reject(new DemoError(-32603, 'cancelled')), { once: true })
        return new Promise((resolve, reject) => {
          waiting.set(id, { resolve, reject })
          write({ id, method, params: about })
        })
      },
    }
  }

  function settle(message: Fields): void {
    const one = waiting.get(message.id as Id)
    waiting.delete(message.id as Id)
    if (isFields(message.result)) one?.resolve(message.result)
    else one?.reject(new DemoError(-32603, isFields(message.error) ? String(message.error.message) : 'no answer'))
  }

  const framer = createLineFramer({
    maxBytes: 4 * 1024 * 1024,
    onLine: receive,
    onFault: () => write({ id: null, error: { code: -32600, message: 'message too large' } }),
  })
  process.stdin.on('data', chunk => framer.push(chunk))
  process.stdin.on('end', () => process.exit(0))
  process.stdout.on('error', () => process.exit(0))
}
