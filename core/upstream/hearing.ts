// What a server says on a lane, once it is read: answers go to their calls, notifications and requests to whom they are for.
import type { Json } from '../mcp/json.ts'
import type { Message } from '../mcp/message.ts'
import { META } from '../mcp/modern.ts'
import type { Log } from '../plugin/index.ts'
import type { Asks } from './asks.ts'
import type { Calls } from './calls.ts'
import type { Inbound } from './inbox.ts'
import type { LaneEvents } from './lane-options.ts'
import type { Stateless } from './stateless.ts'
import type { Transport } from './transport.ts'

export interface HearingOptions {
  readonly server: string
  readonly calls: Calls
  readonly asks: Asks
  readonly events: LaneEvents
  readonly log: Log
  /** As the lane is now. */
  readonly lane: {
    transport(): Transport | undefined
    stateless(): Stateless | undefined
    /** The server was told of a client that it may ask. */
    declares(): boolean
  }
  notify(method: string, params: Json | undefined): void
  /** A message that may not come now. */
  refuse(why: string): void
}

type Notice = Extract<Message, { kind: 'notification' }>
type Request = Extract<Message, { kind: 'request' }>

/** Takes one message. `during`: the request in whose response stream it came. `current`: its session is not over. */
export type Hearing = (message: Inbound, during: number | undefined, current: boolean) => void

export function createHearing({ server, calls, asks, events, log, lane, notify, refuse }: HearingOptions): Hearing {
  function notified({ method, params }: Notice, during: number | undefined): void {
    if (method === 'notifications/cancelled') return cancelled(params?.get('requestId'))
    if (method === 'notifications/progress') return calls.progressed(method, params)
    // Where all share one channel, what belongs to a subscription says so. Spec: 2026-07-28 basic/patterns/subscriptions.
    const about = during ?? (lane.stateless() && idOf(params?.get('_meta')?.get(META.subscription)))
    const call = about === undefined ? undefined : calls.find(about)?.call
    if (call?.notified !== undefined) call.notified(method, params)
    else events.notified(method, params)
  }

  function cancelled(id: Json | undefined): void {
    const stateless = lane.stateless()
    if (stateless === undefined) return asks.cancel(id)
    stateless.cancelled(idOf(id))
  }

  function asked(request: Request, during: number | undefined): void {
    // Spec: 2026-07-28 basic/transports: a server makes no requests, and there is no way to answer one.
    if (lane.stateless() !== undefined) return refuse(`the request ${request.method.slice(0, 50)}`)
    const transport = lane.transport()
    const work = asks.take(
      request,
      // Invariant: on a lane that several clients may share nobody is guessed.
      during !== undefined ? calls.find(during) : lane.declares() ? calls.newest() : undefined,
      ask => events.asked(ask),
      bytes => {
        if (lane.transport() === transport) transport?.send(bytes, { kind: 'other' })
      },
      params => notify('notifications/progress', params),
    )
    work.catch(error => log.error('bug: a request of a server was lost', { server, error: String(error) }))
  }

  return (message, during, current) => {
    switch (message.kind) {
      case 'result':
        return calls.answered(idOf(message.id), during, { kind: 'result', payload: message.result })
      case 'error':
        // An error without an id can only belong to the request in whose response it came.
        return calls.answered(message.id === null ? during : idOf(message.id), during, { kind: 'error', payload: message.error })
      case 'notification':
        return notified(message, during)
      case 'request':
        // In a session that is over nobody takes the answer.
        return current ? asked(message, during) : undefined
    }
  }
}

function idOf(id: Json | undefined): number | undefined {
  return id?.type === 'number' && typeof id.value === 'number' ? id.value : undefined
}
