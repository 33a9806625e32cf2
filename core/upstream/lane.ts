// A lane: one MCP session with one server, for one client or for several that may share it. All ids on it are our own.
import type { ServerConfig } from '../config/schema.ts'
import type { ErrorCode } from '../errors.ts'
import { errorAnswer, errorObject } from '../mcp/error-answer.ts'
import { isFault, Json, type JsonLimits } from '../mcp/json.ts'
import { type Message, readMessage, writeErrorObject, writeNotification, writeRequest, writeResult } from '../mcp/message.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import { type Agreement, agree, initializeParams, type LaneClient } from './handshake.ts'
import type { Transport, TransportFault } from './transport.ts'

/** One request on its way to the server. */
export interface LaneCall {
  readonly signal?: AbortSignal
  /** The client's own progress token; the server gets ours. */
  readonly progressToken?: Json
  /** A notification that belongs to this request. */
  notified?(method: string, params: Json | undefined): void
  /** A request that the server makes during this one. */
  asked?(ask: Ask): Promise<Answer>
}

/** A request that the server makes. `signal` aborts where the server cancels it or goes away. */
export interface Ask {
  readonly method: string
  readonly params: Json | undefined
  readonly signal: AbortSignal
  /** Progress that the client reports, for the server. */
  progress(params: Json): void
}

export interface LaneEvents {
  /** A notification of no particular request. */
  notified(lane: Lane, method: string, params: Json | undefined): void
  asked(lane: Lane, ask: Ask): Promise<Answer>
  opened(lane: Lane, agreement: Agreement): void
  closed(lane: Lane, fault: TransportFault): void
}

/** Decides when a server may be started again, and keeps its state for health. */
export interface StartGate {
  admitStart(): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number; readonly why: string }
  noteReady(): void
  noteFault(fault: TransportFault): void
}

export interface LaneOptions {
  readonly server: ServerConfig
  readonly client: LaneClient
  readonly events: LaneEvents
  readonly gate: StartGate
  readonly limits: JsonLimits
  readonly clock: Clock
  readonly log: Log
  createTransport(): Transport
  scrub(bytes: Uint8Array): Uint8Array
  /** True while someone waits for what the server may say outside of calls: then the lane is not idle. */
  isHeld(): boolean
}

interface Pending {
  readonly method: string
  readonly call: LaneCall
  settle(answer: Answer): void
  /** Starts the time limit again. */
  touch(): void
}

export class Lane {
  readonly server: ServerConfig
  agreement: Agreement | undefined
  readonly #options: LaneOptions
  readonly #pending = new Map<number, Pending>()
  readonly #asks = new Map<string, AbortController>()
  #transport: Transport | undefined
  #opening: Promise<Agreement | TransportFault> | undefined
  #nextId = 1
  #lastUse: number
  #stopIdle: (() => void) | undefined
  late = 0

  constructor(options: LaneOptions) {
    this.#options = options
    this.server = options.server
    this.#lastUse = options.clock.mono()
  }

  get isOpen(): boolean {
    return this.agreement !== undefined
  }

  get busy(): boolean {
    return this.#pending.size > 0
  }

  get backedUp(): boolean {
    return this.#transport?.backedUp ?? false
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
    const ready = this.agreement ?? (await this.ready())
    if ('detail' in ready) return this.#faultAnswer(ready)
    const answer = await this.#send(method, params, call)
    if (answer.code !== UNDELIVERED) return answer
    // Spec: basic/transports, "Session Management": after 404 a client starts a new session; the server saw nothing of the call.
    const again = await this.ready()
    return 'detail' in again ? this.#faultAnswer(again) : this.#send(method, params, call)
  }

  notify(method: string, params: Json | undefined): void {
    this.#lastUse = this.#options.clock.mono()
    this.#transport?.send(writeNotification(method, params), { kind: 'other' })
  }

  async close(): Promise<void> {
    this.#stopIdle?.()
    const transport = this.#transport
    this.#lost({ code: 'upstream-unavailable', detail: 'closed' }, false)
    await transport?.close()
  }

  async #open(): Promise<Agreement | TransportFault> {
    const { gate, server, client, events } = this.#options
    const start = gate.admitStart()
    if (!start.ok) return { code: 'upstream-unavailable', detail: start.why }
    const transport = this.#options.createTransport()
    this.#transport = transport
    let fault: TransportFault | undefined
    try {
      await transport.open({
        message: (bytes, during) => this.#transport === transport && this.#receive(bytes, during),
        failed: (id, why) =>
          this.#pending.get(id)?.settle(why.undelivered ? { ...this.#faultAnswer(why), code: UNDELIVERED } : this.#faultAnswer(why)),
        closed: why => {
          fault ??= why
          if (this.#transport === transport) this.#lost(why, true)
        },
      })
    } catch (error) {
      fault = isTransportFault(error) ? error : { code: 'upstream-unavailable', detail: String(error) }
    }
    if (fault === undefined) {
      const answer = await this.#send('initialize', initializeParams(client), {}, server.timeout.startMs)
      const agreement = agree(answer)
      if ('detail' in agreement) fault ??= agreement
      else if (this.#transport === transport) {
        transport.negotiated?.(agreement.protocolVersion)
        this.agreement = agreement
        transport.send(writeNotification('notifications/initialized', undefined), { kind: 'other' })
        gate.noteReady()
        this.#watchIdle()
        events.opened(this, agreement)
        return agreement
      }
    }
    fault ??= { code: 'upstream-unavailable', detail: 'closed' }
    if (this.#transport === transport) this.#lost(fault, true)
    void transport.close().catch(error => this.#options.log.warn('transport did not close', { error: String(error) }))
    return fault
  }

  #send(method: string, params: Json | undefined, call: LaneCall, limitMs: number = this.server.timeout.callMs): Promise<Answer> {
    const transport = this.#transport
    if (transport === undefined) return Promise.resolve(errorAnswer('upstream-unavailable', { server: this.server.id }))
    const { clock } = this.#options
    const id = this.#nextId++
    this.#lastUse = clock.mono()
    return new Promise(resolve => {
      let stopTimer = () => {}
      const settle = (answer: Answer) => {
        if (!this.#pending.delete(id)) return
        stopTimer()
        call.signal?.removeEventListener('abort', cancel)
        this.#lastUse = clock.mono()
        resolve(answer)
      }
      // Spec: basic/utilities/cancellation: initialize is never cancelled.
      const giveUp = (code: ErrorCode, reason: string) => {
        if (method !== 'initialize') this.#cancelUpstream(id, reason)
        settle(errorAnswer(code, { server: this.server.id }))
      }
      const cancel = () => giveUp('cancelled', cancelReason(call.signal))
      const touch = () => {
        stopTimer()
        if (limitMs > 0) stopTimer = clock.after(limitMs, () => giveUp('upstream-timeout', 'time limit of the gateway'))
      }
      if (call.signal?.aborted) return resolve(errorAnswer('cancelled', { server: this.server.id }))
      this.#pending.set(id, { method, call, settle, touch })
      call.signal?.addEventListener('abort', cancel)
      touch()
      transport.send(writeRequest(id, method, call.progressToken === undefined ? params : withProgressToken(params, id)), {
        kind: 'request',
        id,
      })
    })
  }

  #cancelUpstream(id: number, reason: string): void {
    this.notify('notifications/cancelled', Json.of({ requestId: id, reason }))
    this.#transport?.abandon?.(id)
  }

  #receive(bytes: Uint8Array, during: number | undefined): void {
    const json = Json.scan(this.#options.scrub(bytes), this.#options.limits)
    if (isFault(json)) return this.#garbage(`${json.code} at byte ${json.offset}: ${json.message}`, during)
    const message = readMessage(json, 'upstream')
    if ('code' in message) return this.#garbage(message.message, during)
    if (message.kind === 'batch') {
      for (const item of message.items) this.#dispatch(readMessage(item, 'upstream'), during)
    } else this.#dispatch(message, during)
  }

  #dispatch(message: ReturnType<typeof readMessage>, during: number | undefined): void {
    if ('code' in message) return this.#garbage(message.message, during)
    switch (message.kind) {
      case 'result':
      case 'error': {
        const id = message.id?.type === 'number' ? message.id.value : during
        const pending = typeof id === 'number' && (during === undefined || during === id) ? this.#pending.get(id) : undefined
        if (pending === undefined) {
          this.late++
          return
        }
        return pending.settle(
          message.kind === 'result' ? { kind: 'result', payload: message.result } : { kind: 'error', payload: message.error },
        )
      }
      case 'notification':
        return this.#notified(message, during)
      case 'request':
        void this.#asked(message, during)
        return
      case 'batch':
        return this.#garbage('a batch inside a batch', during)
    }
  }

  #garbage(why: string, during: number | undefined): void {
    this.#options.log.warn('server sent an invalid message', { server: this.server.id, why })
    if (during !== undefined) this.#pending.get(during)?.settle(errorAnswer('upstream-garbage', { server: this.server.id }))
  }

  #notified({ method, params }: Extract<Message, { kind: 'notification' }>, during: number | undefined): void {
    if (method === 'notifications/cancelled') {
      const id = params?.get('requestId')
      if (id !== undefined) this.#asks.get(keyOf(id))?.abort()
      return
    }
    if (method === 'notifications/progress') {
      const token = params?.get('progressToken')?.value
      const pending = typeof token === 'number' ? this.#pending.get(token) : undefined
      if (pending?.call.progressToken === undefined) {
        this.late++
        return
      }
      pending.touch()
      return pending.call.notified?.(method, params?.with({ progressToken: pending.call.progressToken }))
    }
    const call = during === undefined ? undefined : this.#pending.get(during)?.call
    if (call?.notified !== undefined) call.notified(method, params)
    else this.#options.events.notified(this, method, params)
  }

  async #asked({ id, method, params }: Extract<Message, { kind: 'request' }>, during: number | undefined): Promise<void> {
    const transport = this.#transport
    const reply = (bytes: Uint8Array) => this.#transport === transport && transport?.send(bytes, { kind: 'other' })
    if (method === 'ping') return void reply(writeResult(id, EMPTY))
    const key = keyOf(id)
    if (this.#asks.has(key)) return void reply(writeErrorObject(id, errorObject('invalid-request')))
    const abort = new AbortController()
    this.#asks.set(key, abort)
    // While the client is asked, the call that asked is alive: its time limit starts again afterwards.
    const pending = during === undefined ? this.#onlyPending() : this.#pending.get(during)
    const keepAlive = setInterval(() => pending?.touch(), KEEP_ALIVE_MS).unref()
    try {
      const ask: Ask = { method, params, signal: abort.signal, progress: got => this.notify('notifications/progress', got) }
      const answer = await (pending?.call.asked?.(ask) ?? this.#options.events.asked(this, ask))
      if (abort.signal.aborted) return
      reply(answer.kind === 'result' ? writeResult(id, toJson(answer)) : writeErrorObject(id, toJson(answer)))
    } finally {
      clearInterval(keepAlive)
      this.#asks.delete(key)
      pending?.touch()
    }
  }

  /** stdio does not say which call a request belongs to: the newest that waits is the best guess. */
  #onlyPending(): Pending | undefined {
    let newest: Pending | undefined
    for (const pending of this.#pending.values()) if (pending.method !== 'initialize') newest = pending
    return newest
  }

  #lost(fault: TransportFault, report: boolean): void {
    const wasOpen = this.agreement !== undefined || this.#transport !== undefined
    this.#transport = undefined
    this.agreement = undefined
    this.#stopIdle?.()
    for (const pending of [...this.#pending.values()]) pending.settle(this.#faultAnswer(fault))
    for (const ask of this.#asks.values()) ask.abort()
    if (!wasOpen || !report) return
    this.#options.gate.noteFault(fault)
    this.#options.events.closed(this, fault)
  }

  #faultAnswer(fault: TransportFault): Answer {
    this.#options.log.warn('call failed', { server: this.server.id, code: fault.code, detail: fault.detail })
    return errorAnswer(fault.code, { server: this.server.id })
  }

  #watchIdle(): void {
    const { idleMs } = this.server.timeout
    if (idleMs <= 0) return
    const { clock } = this.#options
    const check = () => {
      const quiet = clock.mono() - this.#lastUse
      if (quiet >= idleMs && !this.busy && !this.#options.isHeld()) return void this.close()
      this.#stopIdle = clock.after(Math.max(1000, idleMs - quiet), check)
    }
    this.#stopIdle = clock.after(idleMs, check)
  }
}

const UNDELIVERED = 'undelivered'
const KEEP_ALIVE_MS = 5000
const EMPTY = Json.of({})

/** A string id and a number id are different even where they print alike. Spec: JSON-RPC 2.0, 4. */
export function keyOf(id: Json): string {
  return id.type === 'string' ? `s${id.value as string}` : `n${id.text}`
}

function toJson(answer: Answer): Json {
  return answer.payload instanceof Json ? answer.payload : Json.of(answer.payload.value)
}

function withProgressToken(params: Json | undefined, id: number): Json | undefined {
  const meta = params?.get('_meta')
  return params?.with({ _meta: meta?.with({ progressToken: Json.of(id) }) })
}

function cancelReason(signal: AbortSignal | undefined): string {
  return typeof signal?.reason === 'string' ? signal.reason : 'cancelled by the client'
}

function isTransportFault(error: unknown): error is TransportFault {
  return typeof error === 'object' && error !== null && 'code' in error && 'detail' in error
}
