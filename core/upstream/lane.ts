// A lane: one MCP session with one server, for one client or for several that may share it. All ids on it are our own.
import type { ServerConfig } from '../config/schema.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { isFault, Json, type JsonLimits } from '../mcp/json.ts'
import { type Message, readMessage, writeNotification } from '../mcp/message.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import { Asks } from './asks.ts'
import { type Ask, Calls, type LaneCall } from './calls.ts'
import { type Agreement, agree, initializeParams, type LaneClient } from './handshake.ts'
import { withoutReserved } from './reserved.ts'
import { isTransportFault, type Transport, type TransportFault } from './transport.ts'

export interface LaneEvents {
  /** A notification of no particular request. */
  notified(lane: Lane, method: string, params: Json | undefined): void
  asked(lane: Lane, ask: Ask): Promise<Answer>
  opened(lane: Lane, agreement: Agreement): void
  closed(lane: Lane, fault: TransportFault): void
}

export interface LaneOptions {
  readonly server: ServerConfig
  readonly client: LaneClient
  readonly events: LaneEvents
  readonly limits: JsonLimits
  readonly clock: Clock
  readonly log: Log
  createTransport(): Transport
  /** Takes known secrets out of whatever the server sends, before anyone sees it. */
  scrub(bytes: Uint8Array): Uint8Array
}

/** Stands for the code of an answer where it is certain that the server saw nothing. */
const UNDELIVERED = 'undelivered'

export class Lane {
  readonly server: ServerConfig
  /** Set while the session with the server is open. */
  agreement: Agreement | undefined
  readonly #options: LaneOptions
  readonly #calls: Calls
  readonly #asks = new Asks()
  #transport: Transport | undefined
  /** Requests other than for lists: each may have changed what the lists hold. */
  requests = 0
  #garbled = 0
  #closed = false
  #opening: Promise<Agreement | TransportFault> | undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.server = options.server
    this.#calls = new Calls(options.server.id, options.clock)
  }

  get isOpen(): boolean {
    return this.agreement !== undefined
  }

  /** True where the server was told of a client that it may ask. */
  get declares(): boolean {
    return this.#options.client.capabilities.keys().length > 0
  }

  get isBusy(): boolean {
    return this.#calls.size > 0
  }

  get late(): number {
    return this.#calls.late
  }

  /** Opens the session where it is not open; one opening at a time. */
  ready(): Promise<Agreement | TransportFault> | Agreement {
    if (this.agreement !== undefined) return this.agreement
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** Resolves with the server's answer, or with an error answer of our own; never rejects. */
  async request(method: string, params: Json | undefined, call: LaneCall = {}): Promise<Answer> {
    if (!method.endsWith('/list')) this.requests++
    const first = await this.#attempt(method, params, call)
    if (first.code !== UNDELIVERED) return first
    // Spec: basic/transports, "Session Management": after 404 a client starts a new session; the server saw nothing of the call.
    const second = await this.#attempt(method, params, call)
    return second.code === UNDELIVERED ? errorAnswer('upstream-unavailable', { server: this.server.id }) : second
  }

  notify(method: string, params: Json | undefined): void {
    this.#transport?.send(writeNotification(method, params), { kind: 'other' })
  }

  /** For good: whoever still asks gets an error, and no process is started for him. */
  async close(): Promise<void> {
    this.#closed = true
    const transport = this.#transport
    this.#lost({ code: 'upstream-unavailable', detail: 'closed' }, false)
    await transport?.close()
  }

  async #attempt(method: string, params: Json | undefined, call: LaneCall): Promise<Answer> {
    const ready = this.agreement ?? (await this.ready())
    if ('detail' in ready) return this.#faultAnswer(ready)
    const transport = this.#transport
    if (transport === undefined) return errorAnswer('upstream-crashed', { server: this.server.id })
    return this.#calls.send(transport, method, params, call, this.server.timeout.callMs)
  }

  async #open(): Promise<Agreement | TransportFault> {
    const { server, client, events, log } = this.#options
    if (this.#closed) return { code: 'upstream-unavailable', detail: 'closed' }
    const transport = this.#options.createTransport()
    this.#transport = transport
    const isCurrent = () => this.#transport === transport
    let fault: TransportFault | undefined
    let failed: TransportFault | undefined
    try {
      await transport.open({
        message: (bytes, during) => (isCurrent() || during !== undefined) && this.#receive(bytes, during, isCurrent()),
        failed: (id, why) => {
          failed ??= why
          this.#calls.find(id)?.settle(this.#faultAnswer(why))
        },
        awaits: id => this.#calls.find(id) !== undefined,
        ended: why => isCurrent() && this.#leave(why),
        closed: why => {
          fault ??= why
          if (isCurrent()) this.#lost(why, true)
        },
      })
    } catch (error) {
      fault = isTransportFault(error) ? error : { code: 'upstream-unavailable', detail: String(error) }
    }
    if (fault === undefined && isCurrent()) {
      const answer = await this.#calls.send(transport, 'initialize', initializeParams(client), {}, server.timeout.startMs)
      const agreement = agree(answer)
      if (answer.kind === 'error' && answer.code === undefined)
        log.warn('server refused initialize', { server: server.id, text: (answer.payload as Json).string('message')?.slice(0, 500) })
      // What the transport says of the failure is plainer than the answer made of it.
      if ('detail' in agreement)
        fault ??= failed === undefined ? agreement : { code: agreement.code, detail: `initialize failed: ${failed.detail}` }
      else if (isCurrent()) {
        transport.negotiated?.(agreement.protocolVersion)
        this.agreement = agreement
        this.notify('notifications/initialized', undefined)
        events.opened(this, agreement)
        return agreement
      }
    }
    fault ??= { code: 'upstream-unavailable', detail: 'closed' }
    if (isCurrent()) this.#lost(fault, true)
    const ending = transport.reject?.(fault) ?? transport.close()
    void ending.catch(error => log.warn('transport did not close', { server: server.id, error: String(error) }))
    return fault
  }

  #receive(bytes: Uint8Array, during: number | undefined, current: boolean): void {
    const json = Json.scan(this.#options.scrub(bytes), this.#options.limits)
    if (isFault(json)) return this.#garbage(`${json.code} at byte ${json.offset}: ${json.message}`, during)
    const message = readMessage(withoutReserved(json), 'upstream')
    if (!('code' in message) && message.kind === 'batch') {
      for (const item of message.items) this.#dispatch(readMessage(item, 'upstream'), during, current)
    } else this.#dispatch(message, during, current)
  }

  #dispatch(message: ReturnType<typeof readMessage>, during: number | undefined, current: boolean): void {
    if ('code' in message) return this.#garbage(message.message, during)
    switch (message.kind) {
      case 'result':
        return this.#calls.answered(idOf(message.id), during, { kind: 'result', payload: message.result })
      case 'error':
        // An error without an id can only belong to the request in whose response it came.
        return this.#calls.answered(message.id === null ? during : idOf(message.id), during, { kind: 'error', payload: message.error })
      case 'notification':
        return this.#notified(message, during)
      case 'request':
        // In a session that is over nobody takes the answer.
        return current ? this.#asked(message, during) : undefined
      case 'batch':
        return this.#garbage('a batch inside a batch', during)
    }
  }

  #garbage(why: string, during: number | undefined): void {
    this.#garbled++
    // The 1st, 2nd, 4th, 8th...: a server that sends nothing else must not fill the log.
    if (Number.isInteger(Math.log2(this.#garbled)))
      this.#options.log.warn('server sent an invalid message', { server: this.server.id, why, count: this.#garbled })
    if (during !== undefined) this.#calls.find(during)?.settle(errorAnswer('upstream-garbage', { server: this.server.id }))
  }

  #notified({ method, params }: Extract<Message, { kind: 'notification' }>, during: number | undefined): void {
    if (method === 'notifications/cancelled') return this.#asks.cancel(params?.get('requestId'))
    if (method === 'notifications/progress') return this.#calls.progressed(method, params)
    const call = during === undefined ? undefined : this.#calls.find(during)?.call
    if (call?.notified !== undefined) call.notified(method, params)
    else this.#options.events.notified(this, method, params)
  }

  #asked(request: Extract<Message, { kind: 'request' }>, during: number | undefined): void {
    const transport = this.#transport
    const work = this.#asks.take(
      request,
      // Invariant: on a lane that several clients may share nobody is guessed.
      during !== undefined ? this.#calls.find(during) : this.declares ? this.#calls.newest() : undefined,
      ask => this.#options.events.asked(this, ask),
      bytes => {
        if (this.#transport === transport) transport?.send(bytes, { kind: 'other' })
      },
      params => this.notify('notifications/progress', params),
    )
    work.catch(error => this.#options.log.error('bug: a request of a server was lost', { server: this.server.id, error: String(error) }))
  }

  #lost(fault: TransportFault, report: boolean): void {
    this.#leave(fault, report)
    this.#calls.fail(this.#faultAnswer(fault))
  }

  #leave(fault: TransportFault, report = true): void {
    const had = this.#transport !== undefined
    this.#transport = undefined
    this.agreement = undefined
    this.#asks.cancelAll()
    if (had && report) this.#options.events.closed(this, fault)
  }

  #faultAnswer(fault: TransportFault): Answer {
    const answer = errorAnswer(fault.code, { server: this.server.id })
    return fault.undelivered ? { ...answer, code: UNDELIVERED } : answer
  }
}

function idOf(id: Json): number | undefined {
  return id.type === 'number' && typeof id.value === 'number' ? id.value : undefined
}
