// What is kept of a client: what it declared, what it waits for, what it is asked. No process, no timer.
// Of stateless clients nobody sees it: it is what their requests have in common upstream.
import type { Cancel } from '../cancel.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { writeNotification, writeRequest } from '../mcp/message.ts'
import type { Era } from '../mcp/modern.ts'
import { ownerOf } from '../owner.ts'
import type { Answer, Peer, Principal } from '../plugin/index.ts'
import type { View } from '../relay/view.ts'
import { Slots } from '../slots.ts'
import type { LaneUser } from '../upstream/berth.ts'
import type { LaneClient } from '../upstream/handshake.ts'
import type { EventLog } from './event-store.ts'

/** A way to the client. Messages are whole JSON-RPC texts. */
export interface Channel {
  readonly open: boolean
  /** True where nobody listens now, and what is said is kept for when the client comes back. */
  readonly away?: boolean
  send(message: Uint8Array): void
  /** Where the channel lives no longer than its session. */
  end?(): void
}

/** What stands in the head of an HTTP answer beside its status. */
export interface ReplyHead {
  readonly sessionId?: string | undefined
  /** Value of `WWW-Authenticate`. */
  readonly challenge?: string | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
}

/** A channel that a request came in by; `reply` ends it. `status` and `head` count on HTTP only, and only where nothing was sent before. */
export interface ReplyChannel extends Channel {
  reply(message: Uint8Array, status?: number, head?: ReplyHead): void
}

/** A request of the client that is under way. */
export interface Inflight {
  readonly key: string
  readonly cancel: Cancel
  readonly channel: Channel
  /** Who made it, once he is known: requests of one session may come with several credentials. */
  principal?: Principal | undefined
  /** Least severe log message that a stateless request asked for. */
  readonly logLevel?: string | undefined
}

/** One stream of a stateless client; it takes what it was opened for. */
export interface Listener {
  wants(uri: string): boolean
  hear(method: string, params: Json | undefined): void
}

interface Outgoing {
  readonly way: Channel
  /** So many sweeps ago there was last somebody who listened. */
  unheard: number
  settle(answer: Answer): void
  /** The server's own token, given back when the client reports progress. */
  readonly progress: ((params: Json) => void) | undefined
}

export interface SessionInit {
  readonly id: string
  readonly era: Era
  readonly view: View
  readonly peer: Peer
  readonly protocolVersion: string
  readonly info: Json
  readonly capabilities: Json
  readonly principal: Principal | undefined
  readonly now: number
  /** What servers may say to this client and ask of it. */
  userOf(session: Session): LaneUser
}

/** A client that stays away for so many sweeps (minutes) after it was asked has gone. */
const MAX_UNHEARD = 5

export class Session {
  readonly id: string
  readonly era: Era
  /** What its endpoint shows now. */
  view: View
  readonly peer: Peer
  readonly protocolVersion: string
  readonly info: Json
  readonly capabilities: Json
  readonly client: { readonly name: string; readonly version: string }
  readonly principal: Principal | undefined
  readonly owner: string
  readonly user: LaneUser
  /** Requests of the client. Clients reuse ids: an answer goes where its request came from, whatever its id. */
  readonly inflight: Slots<Inflight> = new Slots()
  /** Streams on which a stateless client hears of changes. */
  readonly listeners: Set<Listener> = new Set()
  /** What goes on between the requests of a stateless client: parked calls, streams of notifications. */
  readonly standing: Set<{ end(): void }> = new Set()
  /** Uris subscribed to as this client knows them, with the server of each and its own uri. */
  readonly subscriptions: Map<string, { readonly server: string; readonly uri: string }> = new Map()
  /** Minimum level of log messages; `undefined` lets the server decide. */
  logLevel: string | undefined
  /** The client's standing stream, where it opened one. */
  stream: Channel | undefined
  /** Who opened it last. */
  listens: Principal | undefined
  /** What is kept of its event streams, where it can come back for it. */
  events: EventLog | undefined
  lastSeen: number
  ended = false
  readonly #outgoing = new Map<number, Outgoing>()
  #nextId = 1
  #laneClient: LaneClient | undefined

  constructor(init: SessionInit) {
    this.id = init.id
    this.era = init.era
    this.view = init.view
    this.peer = init.peer
    this.protocolVersion = init.protocolVersion
    this.info = init.info
    this.capabilities = init.capabilities
    this.client = { name: init.info.string('name') ?? '', version: init.info.string('version') ?? '' }
    this.principal = init.principal
    this.owner = ownerOf(init.principal)
    this.lastSeen = init.now
    this.user = init.userOf(this)
  }

  /** As plugins see it: stateless clients have none. */
  get sessionId(): string | undefined {
    return this.era === 'legacy' ? this.id : undefined
  }

  /** What a stateless server is told of this client with each request. */
  get laneClient(): LaneClient {
    if (this.#laneClient?.logLevel !== this.logLevel || this.#laneClient === undefined)
      this.#laneClient = { info: this.info, capabilities: this.capabilities, logLevel: this.logLevel }
    return this.#laneClient
  }

  /** True where a server may ask this client for something. */
  get declares(): boolean {
    return this.capabilities.keys().length > 0
  }

  get idle(): boolean {
    return (
      this.inflight.size === 0 &&
      this.standing.size === 0 &&
      this.#outgoing.size === 0 &&
      (this.stream?.open !== true || this.stream.away === true)
    )
  }

  /** Sends outside of any request: the standing stream, else the newest request's. Lost where neither is open, or kept for the client. */
  tell(method: string, params: Json | undefined): boolean {
    const channel = this.channel()
    channel?.send(writeNotification(method, params))
    return channel !== undefined
  }

  channel(): Channel | undefined {
    let kept: Channel | undefined
    if (this.stream?.open) {
      if (!this.stream.away) return this.stream
      kept = this.stream
    }
    let newest: Channel | undefined
    for (const { channel } of this.inflight.all()) {
      if (!channel.open) continue
      if (channel.away) kept ??= channel
      else newest = channel
    }
    return newest ?? kept
  }

  /** Asks the client; resolves with its answer, or with an error of ours where it has gone or `signal` aborts. */
  ask(
    method: string,
    params: Json | undefined,
    channel: Channel | undefined,
    signal: AbortSignal,
    progress?: (params: Json) => void,
  ): Promise<Answer> {
    const way = channel?.open ? channel : this.channel()
    if (way === undefined || this.ended) return Promise.resolve(errorAnswer('client-gone'))
    const id = this.#nextId++
    const meta = params?.get('_meta')
    const token = meta?.get('progressToken')
    const sent = token === undefined ? params : params?.with({ _meta: meta?.with({ progressToken: Json.of(id) }) })
    return new Promise(resolve => {
      const settle = (answer: Answer) => {
        if (!this.#outgoing.delete(id)) return
        signal.removeEventListener('abort', cancel)
        resolve(answer)
      }
      const cancel = () => {
        if (way.open) way.send(writeNotification('notifications/cancelled', Json.of({ requestId: id })))
        settle(errorAnswer('cancelled'))
      }
      if (signal.aborted) return resolve(errorAnswer('cancelled'))
      signal.addEventListener('abort', cancel)
      this.#outgoing.set(id, {
        way,
        unheard: 0,
        settle,
        progress: token === undefined || progress === undefined ? undefined : got => progress(got.with({ progressToken: token })),
      })
      way.send(writeRequest(id, method, sent))
    })
  }

  /** The client's answer to something that it was asked. False where nothing of that id is open. */
  answered(id: Json | null, answer: Answer): boolean {
    const outgoing = id?.type === 'number' ? this.#outgoing.get(id.value as number) : undefined
    outgoing?.settle(answer)
    return outgoing !== undefined
  }

  /** Progress that the client reports on a request of a server. */
  progressed(params: Json): void {
    const token = params.get('progressToken')?.value
    if (typeof token === 'number') this.#outgoing.get(token)?.progress?.(params)
  }

  /** Once a minute: whoever asked a client that is not there learns so. */
  sweep(): void {
    for (const outgoing of this.#outgoing.values()) {
      outgoing.unheard = outgoing.way.open && !outgoing.way.away ? 0 : outgoing.unheard + 1
      if (outgoing.unheard > MAX_UNHEARD) outgoing.settle(errorAnswer('client-gone'))
    }
  }

  end(): void {
    this.ended = true
    this.stream?.end?.()
    for (const one of this.standing) one.end()
    this.events?.end()
    for (const outgoing of this.#outgoing.values()) outgoing.settle(errorAnswer('client-gone'))
    for (const { cancel } of this.inflight.all()) cancel.cancel('the session has ended')
  }
}
