// One exchange: what plugins see is read-only; its state is changed by the kernel alone, through `stateOf`.
import { freezeCopy } from './freeze.ts'
import { Json } from './mcp/json.ts'
import type { Answer, Decision, Exchange, Obligation, Peer, Principal, Resource } from './plugin/index.ts'
import { parentOf } from './telemetry/parent-of.ts'
import type { CallSpan } from './telemetry/span.ts'

export interface ExchangeInit {
  readonly id: string
  readonly parentId?: string | undefined
  readonly direction: Exchange['direction']
  readonly action: string
  readonly resource: Resource
  readonly peer: Peer
  readonly client?: Exchange['client']
  readonly protocolVersion?: string | undefined
  readonly sessionId?: string | undefined
  /** Of the session, for an exchange to the client. To a server it counts only where no plugin authenticates. */
  readonly principal?: Principal | undefined
  readonly params: Json
  readonly at: number
  readonly mono: number
  // An object, not the signal: a signal a call is dear, and an accessor in a literal would cost a hidden class a call.
  readonly cancel: { readonly signal: AbortSignal }
}

/** Everything of an exchange that changes. */
export interface ExchangeState {
  readonly x: LiveExchange
  readonly init: ExchangeInit
  readonly open: boolean
  phase: Exchange['state']
  resource: Resource
  principal: Principal | undefined
  /** Of the session that was named, which may be somebody else's. */
  client: Exchange['client']
  params: Json
  sent: Json
  decision: Decision | undefined
  /** Who allowed; undefined until somebody did. */
  by: readonly string[] | undefined
  obligations: readonly Obligation[]
  /** A plugin's answer in the server's place. */
  answer: Answer | undefined
  /** Plugins 0..entered-1 have had their turn. */
  entered: number
  /** Milliseconds that servers took so far, waiting for a place there included. */
  serverMs: number
  /** Of several instances of a server, the one that a request went to last. */
  instance: number | undefined
  /** Where telemetry is on. */
  span: CallSpan | undefined
  notes: Map<string, unknown>
}

const EMPTY: Json = Json.of({})
const NONE: readonly never[] = Object.freeze([])
const NO_NOTES: Map<string, unknown> = new Map()

let reveal: (x: LiveExchange) => ExchangeState

export class LiveExchange implements Exchange {
  readonly #state: ExchangeState
  #args: Json | undefined
  #argsOf: Json | undefined
  #sentArgs: Json | undefined
  #sentArgsOf: Json | undefined
  #notes: Notes | undefined

  static {
    reveal = x => x.#state
  }

  /** `principal` is that of the session, for an exchange to the client. */
  constructor(init: ExchangeInit, open: boolean, principal: Principal | undefined) {
    Object.freeze(init.resource)
    Object.freeze(init.client)
    this.#state = {
      x: this,
      init,
      open,
      phase: principal === undefined ? 'received' : 'identified',
      resource: init.resource,
      principal,
      client: init.client,
      params: init.params,
      sent: init.params,
      decision: undefined,
      by: undefined,
      obligations: NONE,
      answer: undefined,
      entered: 0,
      serverMs: 0,
      instance: undefined,
      span: undefined,
      notes: NO_NOTES,
    }
    // Invariant: no own property of an exchange can hide one of the getters below.
    Object.freeze(this)
  }

  get id(): string {
    return this.#state.init.id
  }
  get parentId(): string | undefined {
    return this.#state.init.parentId
  }
  get direction(): Exchange['direction'] {
    return this.#state.init.direction
  }
  get action(): string {
    return this.#state.init.action
  }
  get resource(): Resource {
    return this.#state.resource
  }
  get peer(): Peer {
    return this.#state.init.peer
  }
  get client(): Exchange['client'] {
    return this.#state.client
  }
  get protocolVersion(): string | undefined {
    return this.#state.init.protocolVersion
  }
  get sessionId(): string | undefined {
    return this.#state.init.sessionId
  }
  get principal(): Principal | undefined {
    return this.#state.principal
  }
  get state(): Exchange['state'] {
    return this.#state.phase
  }
  get params(): Json {
    return this.#state.params
  }
  get sent(): Json {
    return this.#state.sent
  }
  get args(): Json {
    const { params } = this.#state
    if (this.#argsOf !== params) {
      this.#args = this.#argumentsOf(params)
      this.#argsOf = params
    }
    return this.#args!
  }
  get sentArgs(): Json {
    const { sent, params } = this.#state
    if (sent === params) return this.args
    if (this.#sentArgsOf !== sent) {
      this.#sentArgs = this.#argumentsOf(sent)
      this.#sentArgsOf = sent
    }
    return this.#sentArgs!
  }
  get decision(): Decision | undefined {
    return this.#state.decision
  }
  get open(): boolean {
    return this.#state.open
  }
  get instance(): number | undefined {
    return this.#state.instance
  }
  get trace(): Exchange['trace'] {
    const { span, init } = this.#state
    const parent = parentOf(init.params, init.peer)
    const traceId = span?.context.traceId ?? parent?.traceId
    return traceId === undefined ? undefined : { traceId, ...(parent && { parentSpanId: parent.spanId }) }
  }
  get at(): number {
    return this.#state.init.at
  }
  get mono(): number {
    return this.#state.init.mono
  }
  get signal(): AbortSignal {
    return this.#state.init.cancel.signal
  }
  get notes(): ReadonlyMap<string, unknown> {
    if (this.#state.notes === NO_NOTES) return NONE_YET
    this.#notes ??= new Notes(this.#state.notes)
    return this.#notes
  }

  note(key: string, value: unknown): void {
    if (!/^[a-z0-9-]+\.\S+$/.test(key)) throw new TypeError(`the key of a note is "plugin.name", not ${JSON.stringify(key)}`)
    if (this.#state.notes === NO_NOTES) this.#state.notes = new Map()
    this.#state.notes.set(key, freezeCopy(value))
  }

  #argumentsOf(params: Json): Json {
    const { kind } = this.#state.resource
    // What is completed has its arguments in the context: an `arguments` beside it is read by no server, and opens nothing.
    if (this.action === 'completion/complete') return (kind === 'prompt' && params.get('context')?.get('arguments')) || EMPTY
    return ((kind === 'call' || kind === 'prompt') && params.get('arguments')) || EMPTY
  }
}
Object.freeze(LiveExchange.prototype)

/** The kernel's handle on an exchange; no plugin imports this file. */
export function stateOf(x: LiveExchange): ExchangeState {
  return reveal(x)
}

/** What a line of the log says of the call that it is about. */
export function callOf(x: LiveExchange): { readonly callId: string; readonly traceId?: string } {
  const { span } = reveal(x)
  return span === undefined ? { callId: x.id } : { callId: x.id, traceId: span.context.traceId }
}

/** A view of the notes that no cast turns into a writable map. */
class Notes implements ReadonlyMap<string, unknown> {
  readonly #map: ReadonlyMap<string, unknown>
  constructor(map: ReadonlyMap<string, unknown>) {
    this.#map = map
    Object.freeze(this)
  }
  get size(): number {
    return this.#map.size
  }
  get(key: string): unknown {
    return this.#map.get(key)
  }
  has(key: string): boolean {
    return this.#map.has(key)
  }
  keys(): MapIterator<string> {
    return this.#map.keys()
  }
  values(): MapIterator<unknown> {
    return this.#map.values()
  }
  entries(): MapIterator<[string, unknown]> {
    return this.#map.entries()
  }
  forEach(visit: (value: unknown, key: string, map: ReadonlyMap<string, unknown>) => void): void {
    for (const [key, value] of this.#map) visit(value, key, this)
  }
  [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.#map.entries()
  }
}

const NONE_YET = new Notes(NO_NOTES)
