// What a lane is to those who use it, what it is made with, and whom it tells.
import type { ServerConfig } from '../config/schema.ts'
import type { Json, JsonLimits } from '../mcp/json.ts'
import type { ListKind } from '../mcp/methods.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import type { Ask, LaneCall } from './calls.ts'
import type { Eras, Spoken } from './eras.ts'
import type { Gate } from './gate.ts'
import type { Agreement, LaneClient } from './handshake.ts'
import type { Transport, TransportFault } from './transport.ts'

/** The way to one server; where it has several instances, one of these is chosen for each request, or for as long as it holds state there. */
export interface Lane {
  readonly server: ServerConfig
  /** Set while the session with the server is open. */
  readonly agreement: Agreement | undefined
  readonly isOpen: boolean
  /** True where the server was told of a client that it may ask; a stateless one is told with each request. */
  readonly declares: boolean
  readonly isBusy: boolean
  /** Requests other than for lists: each may have changed what the lists hold. */
  readonly requests: number
  /** True while the server has promised to tell when this list changes. */
  promises(kind: ListKind): boolean
  /** Opens the session where it is not open; one opening at a time. */
  ready(): Promise<Agreement | TransportFault> | Agreement
  /** Resolves with the server's answer, or with an error answer of our own; never rejects. */
  request(method: string, params: Json | undefined, call?: LaneCall): Promise<Answer>
  notify(method: string, params: Json | undefined): void
  /** What is under way ends with this, and the connection; it is opened again when it is needed. */
  drop(fault: TransportFault): Promise<void>
  /** For good: whoever still asks gets an error, and no process is started for him. */
  close(): Promise<void>
}

export interface LaneEvents {
  /** A notification of no particular request. */
  notified(method: string, params: Json | undefined): void
  asked(ask: Ask): Promise<Answer>
  opened(agreement: Agreement): void
  closed(fault: TransportFault): void
  /** The server told that it may have changed, while nobody could hear it. */
  missed?(): void
  /** A tool's definition, asked anew. */
  definitionOf?(tool: string): Promise<Json | undefined>
}

export interface LaneOptions {
  readonly server: ServerConfig
  readonly client: LaneClient
  readonly events: LaneEvents
  readonly limits: JsonLimits
  /** Of the server, shared with its other lanes. */
  readonly gate: Gate
  readonly clock: Clock
  readonly log: Log
  readonly eras: Eras
  createTransport(spoken: Spoken | undefined): Transport
  /** Takes known secrets out of whatever the server sends, before anyone sees it. */
  scrub(bytes: Uint8Array): Uint8Array
}
