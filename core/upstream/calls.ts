// Requests of ours that a server has not answered yet: ids, time limits, cancellation, progress. Each settles once.
import type { Cancel } from '../cancel.ts'
import type { ErrorCode } from '../errors.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { writeNotification, writeRequest } from '../mcp/message.ts'
import type { Answer, Clock } from '../plugin/index.ts'
import { Slots } from '../slots.ts'
import type { LaneClient } from './handshake.ts'
import type { MessageKind, Transport } from './transport.ts'

/** A request that the server makes. `signal` aborts where the server cancels it or goes away. */
export interface Ask {
  readonly method: string
  readonly params: Json | undefined
  readonly signal: AbortSignal
  /** Progress that the client reports, for the server. */
  progress(params: Json): void
}

/** One request on its way to the server. */
export interface LaneCall {
  readonly cancel?: Cancel
  /** The client's own progress token; the server gets ours. */
  readonly progressToken?: Json
  /** A notification that belongs to this request. */
  notified?(method: string, params: Json | undefined): void
  /** A request that the server makes during this one. */
  asked?(ask: Ask): Promise<Answer>
  /** Who asks: a stateless server is told with each request. Without it the lane's own client is told. */
  readonly client?: LaneClient
  /** An answer `input_required` is what the caller wants; without it the lane asks through `asked` and makes the request again. */
  readonly takesInputRequired?: boolean
  /** The definition of the tool that is called: it may want parameters mirrored in headers. */
  readonly definition?: Json
}

export interface Pending {
  readonly id: number
  readonly method: string
  readonly call: LaneCall
  settle(answer: Answer): void
  /** Starts the time limit again. */
  touch(): void
}

/** An id is `serial * SLOTS + slot`: never used twice, and found without a table. */
const SLOTS = 2 ** 20

export class Calls {
  readonly #server: string
  readonly #clock: Clock
  readonly #pending = new Slots<Pending>()
  #serial = 0
  /** Answers and progress for nothing that is open: counted, dropped. */
  late = 0

  constructor(server: string, clock: Clock) {
    this.#server = server
    this.#clock = clock
  }

  get size(): number {
    return this.#pending.size
  }

  find(id: number): Pending | undefined {
    const pending = this.#pending.get(id % SLOTS)
    return pending?.id === id ? pending : undefined
  }

  /** stdio does not say which call a request of the server belongs to: the newest that waits is the best guess. */
  newest(): Pending | undefined {
    let newest: Pending | undefined
    for (const pending of this.#pending.all()) if (pending.method !== 'initialize' && pending.id > (newest?.id ?? 0)) newest = pending
    return newest
  }

  /**
   * `limitMs` 0 = no time limit; progress starts it again. `headers`: what HTTP mirrors of the request, in the modern era. Never rejects.
   */
  send(
    transport: Transport,
    method: string,
    params: Json | undefined,
    call: LaneCall,
    limitMs: number,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const { cancel } = call
    if (cancel?.cancelled) return Promise.resolve(errorAnswer('cancelled', { server: this.#server }))
    return new Promise(resolve => {
      let stopTimer = () => {}
      const settle = (answer: Answer) => {
        if (this.find(pending.id) === undefined) return
        this.#pending.remove(pending.id % SLOTS)
        stopTimer()
        cancel?.listen(undefined)
        resolve(answer)
      }
      const giveUp = (code: ErrorCode, reason: string) => {
        // Spec: basic/utilities/cancellation: initialize is never cancelled; a server that does not know server/discover may know no cancel either.
        const isOpening = method === 'initialize' || method === 'server/discover'
        const isEnough = headers !== undefined && transport.endsToCancel === true
        if (!isOpening && !isEnough)
          transport.send(writeNotification('notifications/cancelled', Json.of({ requestId: pending.id, reason })), { kind: 'other' })
        if (method !== 'initialize') transport.abandon?.(pending.id)
        settle(errorAnswer(code, { server: this.#server }))
      }
      const touch = () => {
        stopTimer()
        if (limitMs > 0) stopTimer = this.#clock.after(limitMs, () => giveUp('upstream-timeout', 'time limit of the gateway'))
      }
      const pending = { id: 0, method, call, settle, touch }
      pending.id = ++this.#serial * SLOTS + this.#pending.add(pending)
      cancel?.listen(() => giveUp('cancelled', cancel.reason ?? ''))
      touch()
      const sent = call.progressToken === undefined ? params : withProgressToken(params, pending.id)
      transport.send(writeRequest(pending.id, method, sent), about(pending.id, headers))
    })
  }

  /** `during`: the request in whose response stream this came; an answer to another one there is not believed. */
  answered(id: number | undefined, during: number | undefined, answer: Answer): void {
    const pending = id !== undefined && (during === undefined || during === id) ? this.find(id) : undefined
    if (pending === undefined) this.late++
    else pending.settle(answer)
  }

  progressed(method: string, params: Json | undefined): void {
    const token = params?.get('progressToken')?.value
    const pending = typeof token === 'number' ? this.find(token) : undefined
    const { progressToken } = pending?.call ?? {}
    if (pending === undefined || progressToken === undefined) {
      this.late++
      return
    }
    pending.touch()
    pending.call.notified?.(method, params?.with({ progressToken }))
  }

  /** The connection is gone: nothing that is open will be answered. */
  fail(answer: Answer): void {
    for (const pending of this.#pending.all()) pending.settle(answer)
  }
}

function about(id: number, headers: Readonly<Record<string, string>> | undefined): MessageKind {
  return headers === undefined ? { kind: 'request', id } : { kind: 'request', id, headers }
}

function withProgressToken(params: Json | undefined, id: number): Json | undefined {
  const meta = params?.get('_meta')
  return params?.with({ _meta: meta?.with({ progressToken: Json.of(id) }) })
}
