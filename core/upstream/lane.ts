// A lane: one MCP session with one server, for one client or for several that may share it. All ids on it are our own.
import type { ServerConfig } from '../config/schema.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import type { Json } from '../mcp/json.ts'
import { writeNotification } from '../mcp/message.ts'
import type { ListKind } from '../mcp/methods.ts'
import type { Answer } from '../plugin/index.ts'
import { Asks } from './asks.ts'
import { Calls, type LaneCall } from './calls.ts'
import { connect } from './connect.ts'
import type { Agreement } from './handshake.ts'
import { createHearing } from './hearing.ts'
import { createInbox, type Inbox } from './inbox.ts'
import type { Lane, LaneOptions } from './lane-options.ts'
import { LEGACY_ONLY } from './speech.ts'
import { createStateless, type Stateless } from './stateless.ts'
import { KILLED, type Transport, type TransportFault } from './transport.ts'
import { faultAnswer, goThrough, type Way } from './way.ts'

export type { Lane }

export class ServerLane implements Lane, Way {
  readonly server: ServerConfig
  agreement: Agreement | undefined
  readonly #options: LaneOptions
  readonly #calls: Calls
  readonly #asks = new Asks()
  #transport: Transport | undefined
  requests = 0
  readonly #inbox: Inbox
  isClosed = false
  losses = 0
  #opening: Promise<Agreement | TransportFault> | undefined
  /** Set where the open server is of a stateless revision. */
  #stateless: Stateless | undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.server = options.server
    const { gate } = options
    this.#calls = new Calls(
      options.server.id,
      options.clock,
      () => gate.noteLate(),
      isResting => gate.rest(isResting),
    )
    const { limits, log, scrub, events } = options
    this.#inbox = createInbox({
      server: options.server.id,
      limits,
      log,
      scrub,
      receive: createHearing({
        server: options.server.id,
        calls: this.#calls,
        asks: this.#asks,
        events,
        log,
        lane: { transport: () => this.#transport, stateless: () => this.#stateless, declares: () => this.declares },
        notify: (method, params) => this.notify(method, params),
        refuse: why => this.#inbox.refuse(why, undefined),
      }),
      garbled: during => this.#calls.find(during)?.settle(errorAnswer('upstream-garbage', { server: this.server.id })),
    })
  }

  get isOpen(): boolean {
    return this.agreement !== undefined
  }

  get declares(): boolean {
    return this.#stateless !== undefined || this.#options.client.capabilities.keys().length > 0
  }

  get isBusy(): boolean {
    return this.#calls.size > (this.#stateless?.listening.pending ?? 0)
  }

  promises(kind: ListKind): boolean {
    if (this.#stateless !== undefined) return this.#stateless.listening.promises(kind)
    return this.agreement?.capabilities.get(kind.capability)?.get('listChanged')?.value === true
  }

  get backedUp(): boolean {
    return this.#transport?.backedUp === true
  }

  ready(): Promise<Agreement | TransportFault> | Agreement {
    if (this.agreement !== undefined) return this.agreement
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** `elsewhere`: the answer says where it is certain that the server saw nothing of the request. */
  request(method: string, params: Json | undefined, call: LaneCall = {}, elsewhere = false): Promise<Answer> {
    if (!method.endsWith('/list')) this.requests++
    return goThrough(this.#options.gate, this, method, params, call, elsewhere)
  }

  notify(method: string, params: Json | undefined): void {
    if (this.#stateless !== undefined && LEGACY_ONLY.has(method)) return
    this.#transport?.send(writeNotification(method, params), { kind: 'other' })
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.drop({ code: 'upstream-unavailable', detail: 'closed' })
  }

  async drop(fault: TransportFault): Promise<void> {
    const transport = this.#transport
    this.#lost(fault, false)
    await transport?.close()
  }

  async attempt(method: string, params: Json | undefined, call: LaneCall): Promise<Answer> {
    const ready = this.agreement ?? (await this.ready())
    if ('detail' in ready) return faultAnswer(this.server.id, ready)
    const transport = this.#transport
    if (transport === undefined) return errorAnswer('upstream-crashed', { server: this.server.id })
    if (this.#stateless !== undefined) return this.#stateless.request(method, params, call)
    return this.#calls.send(transport, method, params, call, this.server.timeout)
  }

  async #open(): Promise<Agreement | TransportFault> {
    const { client, clock, log, eras, createTransport, events, gate } = this.#options
    if (this.isClosed) return { code: 'upstream-unavailable', detail: 'closed' }
    if (gate.isShut) return KILLED
    const found = await connect({
      server: this.server,
      client,
      calls: this.#calls,
      eras,
      clock,
      log,
      createTransport,
      adopt: transport => {
        this.#transport = transport
      },
      isCurrent: transport => this.#transport === transport && !this.isClosed,
      isClosed: () => this.isClosed || gate.isShut,
      received: (bytes, during, current) => this.#inbox.take(bytes, during, current),
      failed: (id, fault) => this.#calls.find(id)?.settle(this.#failedAnswer(fault)),
      drained: () => gate.review(),
      ended: fault => this.#leave(fault),
      lost: fault => this.#lost(fault, this.agreement !== undefined),
    })
    if ('agreement' in found) {
      this.#begin(found.transport, found.agreement)
      return found.agreement
    }
    this.losses++
    // It says nothing of the server.
    if (gate.isShut) return KILLED
    events.closed(found)
    return found
  }

  #begin(transport: Transport, agreement: Agreement): void {
    const { client, events, clock, server, gate } = this.#options
    transport.negotiated?.(agreement.protocolVersion)
    this.agreement = agreement
    if (agreement.era === 'modern') {
      this.#stateless = createStateless({
        server: server.id,
        agreement,
        client,
        calls: this.#calls,
        transport,
        limits: server.timeout,
        clock,
        rest: isResting => gate.rest(isResting),
        notified: (method, params) => events.notified(method, params),
        missed: () => events.missed?.(),
        definitionOf: async tool => events.definitionOf?.(tool),
      })
    } else this.notify('notifications/initialized', undefined)
    events.opened(agreement)
  }

  #lost(fault: TransportFault, report: boolean): void {
    this.losses++
    this.#leave(fault, report)
    this.#calls.fail(faultAnswer(this.server.id, fault))
  }

  #leave(fault: TransportFault, report = true): void {
    const had = this.#transport !== undefined
    this.#transport = undefined
    this.agreement = undefined
    this.#stateless?.listening.close()
    this.#stateless = undefined
    this.#asks.cancelAll()
    if (had && report) this.#options.events.closed(fault)
    // Whoever waited until it is read finds out.
    this.#options.gate.review()
  }

  /** A stateless server that does not know our requests any more has been replaced by an older one: the next opening finds out. */
  #failedAnswer(fault: TransportFault): Answer {
    const isReplaced = this.#stateless !== undefined && (fault.status === 400 || fault.status === 404 || fault.status === 405)
    if (!isReplaced) return faultAnswer(this.server.id, fault)
    const transport = this.#transport
    this.#options.eras.forget(this.server)
    this.#leave(fault)
    void transport?.close()
    return faultAnswer(this.server.id, { ...fault, undelivered: true })
  }
}
