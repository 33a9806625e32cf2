// One connection to one MCP server: carries whole JSON-RPC messages as bytes and knows nothing of what they mean.
import type { Exchange } from '../plugin/index.ts'
import type { Behalf } from './behalf.ts'

/** Why a connection or a request failed. `code` is in the error table; `detail` goes to log and record, never to a caller. */
export interface TransportFault {
  readonly code: 'upstream-unavailable' | 'upstream-crashed' | 'upstream-timeout' | 'upstream-garbage' | 'upstream-credential' | 'killed'
  readonly detail: string
  /** Milliseconds before which another attempt is pointless; set where a start was refused. */
  readonly retryAfterMs?: number
  /** Set where we ended it ourselves, so that nobody starts it again before it is needed. */
  readonly planned?: boolean
  /** Set where it is certain that the server saw nothing of the request. */
  readonly undelivered?: boolean
  /** HTTP status of the response that brought no message, where there was one. */
  readonly status?: number
}

/** What a message is to us: a request that an answer will be awaited for, or anything else. */
export type MessageKind =
  /** `headers`: what the revision mirrors of this request, `behalf`: for whom it is made; for HTTP alone. `exchange`: for the gateway's own tools alone. */
  | {
      readonly kind: 'request'
      readonly id: number
      readonly headers?: Readonly<Record<string, string>> | undefined
      readonly behalf?: Behalf | undefined
      readonly exchange?: Exchange | undefined
    }
  | { readonly kind: 'other' }

export interface TransportEvents {
  /** One message. `during` is the id of our request in whose response stream it came (http); undefined on stdio. */
  message(bytes: Uint8Array, during: number | undefined): void
  /** This request will get no answer; the connection lives on. */
  failed(id: number, fault: TransportFault): void
  /** This request will get an answer, but one that says that the server is in no good state. */
  unwell?(id: number): void
  /** The session is over: nothing more may be sent, but what is under way is still answered, or fails one by one. No `closed` follows. */
  ended?(fault: TransportFault): void
  /** What was written has been read: the transport is not backed up any more. */
  drained?(): void
  /** False when the request has its answer; a stream that goes on after it is of no use. */
  awaits?(id: number): boolean
  /** Once, and the last event: everything pending is lost. */
  closed(fault: TransportFault): void
}

export interface Transport {
  /** Connects. Rejects with a TransportFault; then no event follows. Called once. */
  open(events: TransportEvents): Promise<void>
  /** Once open: never blocks and never throws; a failure arrives as `failed` or `closed`, never before `send` has returned. */
  send(message: Uint8Array, about: MessageKind): void
  /** It is settled what the server speaks; what depends on it (a header, a standing stream) starts here. */
  negotiated?(protocolVersion: string): void
  /**
   * Nobody waits for the answer to this request any more. Where `negotiated` named a modern version, ending its response is the cancel
   * that the server hears, and is done at once; in legacy the server was told before, and may end the response itself.
   */
  abandon?(id: number): void
  /** True where ending a response tells the server that its request is cancelled (HTTP): no notification is sent then in the modern era. */
  readonly endsToCancel?: boolean
  /** Closes because the server will not do (it refused the handshake): counts as a failed start. */
  reject?(fault: TransportFault): Promise<void>
  /** True while the peer reads slower than we write: calls wait until `drained`. `send` still queues up to a bound. */
  readonly backedUp: boolean
  /** Resolves when nothing of the connection is left. Safe to call at any time and more than once. */
  close(): Promise<void>
}

/** An operator has killed the server. */
export const KILLED: TransportFault = Object.freeze({ code: 'killed', detail: 'killed by an operator', planned: true })

/** A user has taken back what he gave for the server. Not that there is no credential: what is under way may have been done. */
export const TAKEN_BACK: TransportFault = Object.freeze({
  code: 'upstream-crashed',
  detail: 'the user’s authorisation was taken back',
  planned: true,
})

/** Faults are plain objects, also where a promise rejects with one. */
export function isTransportFault(value: unknown): value is TransportFault {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value && String(value.code).startsWith('upstream-')
}
