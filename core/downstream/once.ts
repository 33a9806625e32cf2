// One request on its own, without a session or a stream: what comes in by HTTP routes, and what the gateway's own tools make of a call.
import type { Cancel } from '../cancel.ts'
import { isFault, Json } from '../mcp/json.ts'
import { readMessage, writeRequest } from '../mcp/message.ts'
import { LATEST_MODERN } from '../mcp/modern.ts'
import type { Peer } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { View } from '../relay/view.ts'
import type { ReplyHead } from './session.ts'

export interface Once {
  readonly view: View
  readonly peer: Peer
  readonly method: string
  readonly params: Json
  readonly cancel: Cancel
  /** What the client is called in the record. */
  readonly client: string
}

export interface Reply {
  readonly result?: Json
  /** A JSON-RPC error object. */
  readonly error?: Json
  readonly head: ReplyHead
}

const NOTHING = Json.of({})

/** The way of any stateless request, plugins included. It declares nothing, so that servers ask nothing of it. */
export async function askOnce(relay: Pick<Relay, 'serve'>, { view, peer, method, params, cancel, client }: Once): Promise<Reply> {
  const message = read(writeRequest(1, method, params))
  if (message.kind !== 'request') throw new Error('bug: a request of ours is none')
  let got: Uint8Array | undefined
  let head: ReplyHead = {}
  const envelope = { version: LATEST_MODERN, info: Json.of({ name: client, version: '1' }), capabilities: NOTHING }
  const channel = {
    open: false,
    send() {},
    reply(bytes: Uint8Array, _status?: number, given: ReplyHead = {}) {
      got = bytes
      head = given
    },
  }
  await relay.serve({ view, envelope, message, channel, peer, mismatch: undefined, isMirrored: false, cancel })
  const reply = got === undefined || got.length === 0 ? undefined : read(got)
  if (reply?.kind === 'result') return { result: reply.result, head }
  if (reply?.kind === 'error') return { error: reply.error, head }
  return { error: Json.of({ code: -32603, message: 'no answer', data: { mcpgw: { code: 'cancelled' } } }), head }
}

function read(bytes: Uint8Array) {
  const json = Json.scan(bytes)
  const message = isFault(json) ? undefined : readMessage(json, 'upstream')
  if (message === undefined || 'code' in message) throw new Error('bug: a message of ours is none')
  return message
}
