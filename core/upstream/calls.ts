// Requests of ours that a server has not answered yet: ids, time limits, cancellation, progress. Each settles once.
import type { Cancel } from '../cancel.ts'
import type { ErrorCode } from '../errors.ts'
import type { ExchangeState } from '../exchange.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { writeNotification, writeRequest } from '../mcp/message.ts'
import type { Answer, Clock, Exchange } from '../plugin/index.ts'
import { Slots } from '../slots.ts'
import type { Behalf } from './behalf.ts'
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
/** Optional members may stand there undefined: one shape for all is what keeps a call cheap. */
export interface LaneCall {
  readonly cancel?: Cancel
  /** Who makes it, where several callers may share a server. */
  readonly owner?: string
  /** The client's own progress token; the server gets ours. */
  readonly progressToken?: Json | undefined
  /** A notification that belongs to this request. */
  notified?(method: string, params: Json | undefined): void
  /** A request that the server makes during this one. */
  asked?(ask: Ask): Promise<Answer>
  /** Who asks: a stateless server is told with each request. Without it the lane's own client is told. */
  readonly client?: LaneClient
  /** An answer `input_required` is what the caller wants; without it the lane asks through `asked` and makes the request again. */
  readonly takesInputRequired?: boolean
  /** The definition of the tool that is called: it may want parameters mirrored in headers. */
  readonly definition?: Json | undefined
  /** For whom it is made, where the server is shown a credential of the caller's own. */
  readonly behalf?: Behalf | undefined
  /** What it is made for, where the server is the gateway itself. */
  readonly exchange?: Exchange | undefined
  /** Learns how long servers took, and which instance; `span`: where telemetry is on. */
  readonly timed?: Pick<ExchangeState, 'serverMs' | 'instance' | 'span'> | undefined
}

export interface Pending {
  readonly id: number
  readonly method: string
  readonly call: LaneCall
  /** Its answer will be one of a server that is in no good state. */
  isUnwell: boolean
  settle(answer: Answer): void
  /** Starts the time limit again. `hold` 1: a person is asked, and until as many -1 only the limit of the whole call runs. */
  touch(hold?: 1 | -1): void
}

/** Milliseconds, 0 = none. `callMs`: to the answer or to the next progress; `maxMs`: to the answer, whatever happens meanwhile. */
export interface CallLimits {
  readonly callMs: number
  readonly maxMs?: number
}

/** These last, or cost a server nothing: they need no place at its gate. */
const FREE: ReadonlySet<string> = new Set(['initialize', 'server/discover', 'ping', 'subscriptions/listen'])

export function isCounted(method: string): boolean {
  return !FREE.has(method)
}

/** Stands for the code of an answer that is the server's own, though it is in no good state. */
export const UNWELL = 'unwell'

/** An id is `serial * SLOTS + slot`: never used twice, and found without a table. */
const SLOTS = 2 ** 20

export class Calls {
  readonly #server: string
  readonly #clock: Clock
  readonly #noteLate: () => void
  readonly #rest: (isResting: boolean) => void
  readonly #pending = new Slots<Pending>()
  #serial = 0

  /** `noteLate` counts answers and progress for nothing that is open; they are dropped. `rest`: a call begins or ends to wait for its client. */
  constructor(server: string, clock: Clock, noteLate: () => void, rest: (isResting: boolean) => void) {
    this.#server = server
    this.#clock = clock
    this.#noteLate = noteLate
    this.#rest = rest
  }

  get size(): number {
    return this.#pending.size
  }

  find(id: number): Pending | undefined {
    const pending = this.#pending.get(id % SLOTS)
    return pending?.id === id ? pending : undefined
  }

  noteUnwell(id: number): void {
    const pending = this.find(id)
    if (pending !== undefined) pending.isUnwell = true
  }

  /** stdio does not say which call a request of the server belongs to: the newest that waits is the best guess. */
  newest(): Pending | undefined {
    let newest: Pending | undefined
    for (const pending of this.#pending.all()) if (pending.method !== 'initialize' && pending.id > (newest?.id ?? 0)) newest = pending
    return newest
  }

  /** `headers`: what HTTP mirrors of the request, in the modern era. Never rejects. */
  send(
    transport: Transport,
    method: string,
    params: Json | undefined,
    call: LaneCall,
    limits: CallLimits,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const { cancel } = call
    if (cancel?.cancelled) return Promise.resolve(errorAnswer('cancelled', { server: this.#server }))
    return new Promise(resolve => {
      const { callMs, maxMs = 0 } = limits
      let began: number | undefined
      let stopTimer = () => {}
      let holds = 0
      const settle = (answer: Answer) => {
        if (this.find(pending.id) === undefined) return
        this.#pending.remove(pending.id % SLOTS)
        stopTimer()
        cancel?.listen(undefined)
        if (holds > 0 && isCounted(method)) this.#rest(false)
        resolve(pending.isUnwell && answer.code === undefined ? { ...answer, code: UNWELL } : answer)
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
      // Spec: basic/utilities/cancellation, "Timeouts": progress may restart the limit, but a maximum always holds.
      const touch = (hold = 0) => {
        holds += hold
        if (this.find(pending.id) === undefined) return
        // What waits for a person keeps no other call from the server.
        if (hold !== 0 && holds === (hold === 1 ? 1 : 0) && isCounted(method)) this.#rest(hold === 1)
        stopTimer()
        let ms = callMs === 0 || holds > 0 ? Number.POSITIVE_INFINITY : callMs
        if (maxMs > 0) {
          const now = this.#clock.mono()
          began ??= now
          ms = Math.max(0, Math.min(ms, began + maxMs - now))
        }
        if (ms < Number.POSITIVE_INFINITY) stopTimer = this.#clock.after(ms, () => giveUp('upstream-timeout', 'time limit of the gateway'))
      }
      const pending = { id: 0, method, call, isUnwell: false, settle, touch }
      pending.id = ++this.#serial * SLOTS + this.#pending.add(pending)
      cancel?.listen(() => giveUp('cancelled', cancel.reason ?? ''))
      touch()
      const sent = call.progressToken === undefined ? params : withProgressToken(params, pending.id)
      transport.send(writeRequest(pending.id, method, sent), about(pending.id, headers, call))
    })
  }

  /** `during`: the request in whose response stream this came; an answer to another one there is not believed. */
  answered(id: number | undefined, during: number | undefined, answer: Answer): void {
    const pending = id !== undefined && (during === undefined || during === id) ? this.find(id) : undefined
    if (pending === undefined) this.#noteLate()
    else pending.settle(answer)
  }

  progressed(method: string, params: Json | undefined): void {
    const token = params?.get('progressToken')?.value
    const pending = typeof token === 'number' ? this.find(token) : undefined
    const { progressToken } = pending?.call ?? {}
    if (pending === undefined || progressToken === undefined) {
      this.#noteLate()
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

function about(id: number, headers: Readonly<Record<string, string>> | undefined, { behalf, exchange }: LaneCall): MessageKind {
  if (exchange !== undefined) return { kind: 'request', id, exchange }
  return headers === undefined && behalf === undefined ? { kind: 'request', id } : { kind: 'request', id, headers, behalf }
}

function withProgressToken(params: Json | undefined, id: number): Json | undefined {
  const meta = params?.get('_meta')
  return params?.with({ _meta: meta?.with({ progressToken: Json.of(id) }) })
}
