// What a lane is made with, and whom it tells.
import type { ServerConfig } from '../config/schema.ts'
import type { Json, JsonLimits } from '../mcp/json.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import type { Ask } from './calls.ts'
import type { Eras, Spoken } from './eras.ts'
import type { Gate } from './gate.ts'
import type { Agreement, LaneClient } from './handshake.ts'
import type { Transport, TransportFault } from './transport.ts'

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
