// A client inside this process: the command line and the tests take the same way through the relay as any other client.
import { asJson, isFault, Json } from '../mcp/json.ts'
import { type Message, readMessage, writeNotification, writeRequest } from '../mcp/message.ts'
import { LATEST_LEGACY } from '../mcp/methods.ts'
import type { Answer, JsonValue, Peer } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { View } from '../relay/view.ts'
import type { ReplyChannel, Session } from './session.ts'

export interface LocalClientOptions {
  readonly relay: Relay
  readonly view: View
  readonly peer?: Peer
  readonly name?: string
  readonly capabilities?: JsonValue
  /** What the servers ask of this client; without it such requests fail. */
  answer?(method: string, params: Json | undefined): Promise<Answer>
  notified?(method: string, params: Json | undefined): void
}

export interface LocalClient {
  readonly session: Session
  request(method: string, params?: JsonValue, more?: { signal?: AbortSignal }): Promise<Answer>
  close(): Promise<void>
}

const STDIO: Peer = { transport: 'stdio', header: () => [] }

/** Opens a session; the error answer where it is refused. */
export async function connectLocally(options: LocalClientOptions): Promise<LocalClient | Answer> {
  const { relay, view, peer = STDIO } = options
  let nextId = 1
  let session: Session | undefined

  /** Also carries what the server says and asks on the way to the answer. */
  function channelFor(settle: (message: Uint8Array) => void): ReplyChannel {
    return { open: true, send: take, reply: settle }
  }

  function take(bytes: Uint8Array): void {
    const message = read(bytes)
    if (message.kind === 'notification') options.notified?.(message.method, message.params)
    if (message.kind !== 'request' || session === undefined || options.answer === undefined) return
    const { id } = message
    void options.answer(message.method, message.params).then(answer => {
      const payload = asJson(answer.payload)
      session?.answered(id, { ...answer, payload })
    })
  }

  async function send(method: string, params: Json | undefined, signal?: AbortSignal): Promise<Answer> {
    const id = nextId++
    const message = read(writeRequest(id, method, params))
    if (message.kind !== 'request') throw new Error('a request of ours is not one')
    let reply: Uint8Array | undefined
    const channel = channelFor(bytes => {
      reply = bytes
    })
    const cancel = () => {
      const cancelled = read(writeNotification('notifications/cancelled', Json.of({ requestId: id })))
      if (session !== undefined && cancelled.kind === 'notification') void relay.receive(session, cancelled, channel, peer)
    }
    signal?.addEventListener('abort', cancel)
    if (session === undefined) session = await relay.open(view, message, channel, peer)
    else await relay.receive(session, message, channel, peer)
    signal?.removeEventListener('abort', cancel)
    const answer = reply === undefined || reply.length === 0 ? undefined : read(reply)
    if (answer?.kind === 'result') return { kind: 'result', payload: answer.result }
    if (answer?.kind === 'error') return { kind: 'error', payload: answer.error, code: codeOf(answer.error) }
    return { kind: 'error', payload: Json.of({ code: -32603, message: 'no answer' }), code: 'cancelled' }
  }

  const opened = await send(
    'initialize',
    Json.of({
      protocolVersion: LATEST_LEGACY,
      capabilities: options.capabilities ?? {},
      clientInfo: { name: options.name ?? 'mcpgw', version: '1' },
    }),
  )
  const live = session as Session | undefined
  if (live === undefined) return opened
  live.stream = channelFor(() => {})
  return {
    session: live,
    request: (method, params, more) => send(method, params === undefined ? undefined : Json.of(params), more?.signal),
    close: () => relay.end(live),
  }
}

function read(bytes: Uint8Array): Message {
  const json = Json.scan(bytes)
  if (isFault(json)) throw new Error(`a message of ours is not strict JSON: ${json.message}`)
  const message = readMessage(json, 'downstream')
  if ('code' in message) throw new Error(`a message of ours is none: ${message.message}`)
  return message
}

/** The gateway's own code, where the gateway made the error. */
function codeOf(error: Json): string {
  return error.get('data')?.get('mcpgw')?.string('code') ?? 'upstream-error'
}
