// A server that this process answers for: spoken to in MCP like any other, so that policy, record and limits hold for it too.
import { isFault, Json } from '../mcp/json.ts'
import { type Message, readMessage, writeError, writeResult } from '../mcp/message.ts'
import { LATEST_LEGACY } from '../mcp/methods.ts'
import type { JsonObject } from '../plugin/index.ts'
import type { MessageKind, Transport, TransportEvents, TransportFault } from './transport.ts'

export type InboundRequest = Extract<Message, { kind: 'request' }>
type About = Extract<MessageKind, { kind: 'request' }>

export interface InProcessServer {
  readonly info: JsonObject
  /** Rejects with a TransportFault. */
  open?(): Promise<void>
  listTools(): Json
  /** A call of a tool. Never rejects. `signal`: nobody waits for it any more. */
  call(request: InboundRequest, about: About, signal: AbortSignal): Promise<CallEnd>
}

/** `isUnwell`: it is an answer, but the server is in no good state. */
export type CallEnd = { readonly message: Uint8Array; readonly isUnwell?: boolean } | TransportFault

export function createInProcessTransport({ info, open, listTools, call }: InProcessServer): Transport {
  let events: TransportEvents | undefined
  const underWay = new Map<string, AbortController>()

  function answer({ id, method }: InboundRequest): Uint8Array {
    switch (method) {
      case 'initialize':
        return writeResult(id, Json.of({ protocolVersion: LATEST_LEGACY, capabilities: { tools: {} }, serverInfo: info }))
      case 'ping':
        return writeResult(id, Json.of({}))
      case 'tools/list':
        return writeResult(id, Json.of({}).with({ tools: listTools() }))
      default:
        return writeError(id, { code: -32601, message: 'method not found' })
    }
  }

  async function perform(request: InboundRequest, about: About): Promise<void> {
    const abort = new AbortController()
    const key = request.id.text
    underWay.set(key, abort)
    const end = await call(request, about, abort.signal)
    underWay.delete(key)
    if (!('message' in end)) return events?.failed(about.id, end)
    if (end.isUnwell) events?.unwell?.(about.id)
    events?.message(end.message, about.id)
  }

  return {
    backedUp: false,
    async open(given) {
      await open?.()
      events = given
    },
    send(bytes, about) {
      const json = Json.scan(bytes)
      const message = isFault(json) ? undefined : readMessage(json, 'downstream')
      if (message === undefined || 'code' in message) throw new Error('bug: a message of ours is none')
      if (message.kind === 'notification' && message.method === 'notifications/cancelled')
        underWay.get(message.params?.get('requestId')?.text ?? '')?.abort()
      if (message.kind !== 'request' || about.kind !== 'request') return
      if (message.method === 'tools/call') void perform(message, about)
      else queueMicrotask(() => events?.message(answer(message), about.id))
    },
    async close() {
      for (const abort of underWay.values()) abort.abort()
      events?.closed({ code: 'upstream-unavailable', detail: 'closed', planned: true })
      events = undefined
    },
  }
}
