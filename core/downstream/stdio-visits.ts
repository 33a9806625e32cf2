// Requests of a stateless client that share one pair of standard streams: each is cancelled by its id, and nothing more is said of it then.
// Spec: 2026-07-28 basic/transports/stdio, "Cancellation".
import { Cancel } from '../cancel.ts'
import type { Json } from '../mcp/json.ts'
import type { Message } from '../mcp/message.ts'
import type { Envelope } from '../mcp/modern.ts'
import type { Peer } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { View } from '../relay/view.ts'
import { keyOf } from '../upstream/asks.ts'
import type { ReplyChannel } from './session.ts'

export interface Visits {
  request(message: Extract<Message, { kind: 'request' }>, envelope: Envelope): Promise<void>
  notification(message: Extract<Message, { kind: 'notification' }>): Promise<void> | undefined
}

export function createVisits(relay: Pick<Relay, 'serve'>, view: View, peer: Peer, channel: ReplyChannel): Visits {
  const underway = new Map<string, Cancel>()
  /** A notification says nothing of its client: the last request has. */
  let last: Envelope | undefined

  return {
    async request(message, envelope) {
      last = envelope
      const key = keyOf(message.id)
      const cancel = new Cancel()
      underway.set(key, cancel)
      try {
        await relay.serve({ view, envelope, message, channel: untilCancelled(channel, cancel), peer, mismatch: undefined, cancel })
      } finally {
        if (underway.get(key) === cancel) underway.delete(key)
      }
    },
    notification(message) {
      const { method, params } = message
      if (method === 'notifications/cancelled') {
        const id: Json | undefined = params?.get('requestId')
        if (id !== undefined) underway.get(keyOf(id))?.cancel(params?.string('reason') ?? 'cancelled by the client')
        return undefined
      }
      if (last === undefined) return undefined
      return relay.serve({ view, envelope: last, message, channel, peer, mismatch: undefined, cancel: new Cancel() })
    },
  }
}

function untilCancelled(channel: ReplyChannel, cancel: Cancel): ReplyChannel {
  return {
    get open() {
      return channel.open && !cancel.cancelled
    },
    send: message => (cancel.cancelled ? undefined : channel.send(message)),
    reply: message => (cancel.cancelled ? undefined : channel.reply(message)),
  }
}
