// An event stream that is opened with GET, and opened again behind its last event when it breaks off.
// Spec: 2025-11-25 basic/transports, "Resumability and Redelivery"; WHATWG HTML, 9.2.3.
import type { Dispatcher } from 'undici'
import { createSseParser, type SseParser } from '../../mcp/sse.ts'
import type { Sender } from './authorized.ts'
import { reasonOf } from './http-error.ts'
import { type Headers, isEncoded, isSendable, mediaType, streamHeaders } from './http-headers.ts'

/** Where a stream broke off, and how long the server wants us to wait before we ask for the rest. */
export interface Place {
  readonly lastEventId: string
  readonly retryMs: number | undefined
}

export interface GetStream {
  close(): void
}

export interface GetStreamOptions {
  readonly pool: Sender
  readonly path: string
  readonly headers: Headers
  readonly maxBytes: number
  /** Set where it goes on with another stream: the wait comes first. */
  readonly from?: Place
  /** Waits where the server names none, and at least these after attempts in a row that failed; the last one stands for all that follow. */
  readonly waitsMs: readonly number[]
  /** It is given up after so many attempts in a row that failed: refused, or torn before anything came. */
  readonly attempts: number
  message(bytes: Uint8Array): void
  isWanted(): boolean
  /** Once, unless closed: it will not be opened again. `garbage`: it was no stream that can be read. */
  ended(why: string, garbage: boolean): void
}

/** A server may let us poll for as long as it has nothing to say: at the pace that it names, but not in a tight loop for long. */
const MIN_WAIT_MS = 20
const QUICK_POLLS = 5
const SLOW_POLL_MS = 1000
const LONGEST_TIMER = 0x7fff_ffff
const CLOSED = new Error('closed')

export function openGetStream(options: GetStreamOptions): GetStream {
  const { pool, path, headers, maxBytes, waitsMs } = options
  let lastEventId = options.from?.lastEventId
  let retryMs = options.from?.retryMs
  let failed = 0
  let empty = 0
  let closed = false
  let running: Dispatcher.DispatchController | undefined
  let timer: NodeJS.Timeout | undefined

  function end(why: string, garbage = false): void {
    if (closed) return
    closed = true
    options.ended(why, garbage)
  }

  function wait(): void {
    const ours = waitsMs[Math.min(failed, waitsMs.length - 1)]!
    const floor = failed > 0 ? ours : empty > QUICK_POLLS ? SLOW_POLL_MS : MIN_WAIT_MS
    const ms = Math.max(floor, retryMs ?? ours)
    // Never sooner than the server wants, and not all at once where many streams broke together.
    timer = setTimeout(listen, Math.min(ms + (Math.random() * ms) / 10, LONGEST_TIMER)).unref()
  }

  function again(parser: SseParser | undefined, brought: boolean, why: string, torn: boolean): void {
    running = undefined
    if (closed) return
    const id = parser?.lastEventId() ?? ''
    const isFarther = brought || (id !== '' && id !== lastEventId)
    if (id !== '') lastEventId = isSendable(id) ? id : undefined
    retryMs = parser?.retry() ?? retryMs
    const hasFailed = parser === undefined || (torn && !isFarther)
    failed = hasFailed ? failed + 1 : 0
    empty = isFarther ? 0 : empty + 1
    if (!options.isWanted() || failed >= options.attempts) end(why)
    else wait()
  }

  function listen(): void {
    let parser: SseParser | undefined
    let brought = false
    let refusal: string | undefined
    pool.dispatch(
      { path, method: 'GET', headers: streamHeaders(headers, lastEventId) },
      {
        onRequestStart(controller) {
          running = controller
          if (closed) controller.abort(CLOSED)
        },
        onResponseStart(controller, status, responseHeaders) {
          if (status >= 500 || status === 429) return
          if (status !== 200 || mediaType(responseHeaders['content-type']) !== 'text/event-stream' || isEncoded(responseHeaders)) {
            refusal = `HTTP ${status} to GET`
            return
          }
          parser = createSseParser({
            maxEventBytes: maxBytes,
            onEvent(event) {
              if (closed || event.event !== 'message') return
              brought = true
              options.message(event.data)
            },
            onFault(fault) {
              end(fault.message, true)
              controller.abort(CLOSED)
            },
          })
        },
        onResponseData(_controller, chunk) {
          if (!closed) parser?.push(chunk)
        },
        onResponseEnd() {
          if (refusal === undefined) again(parser, brought, 'the event stream ended before the answer', false)
          else end(refusal)
        },
        onResponseError(_controller, error) {
          again(parser, brought, reasonOf(error), true)
        },
      },
    )
  }

  if (options.from === undefined) listen()
  else wait()
  return {
    close() {
      closed = true
      clearTimeout(timer)
      running?.abort(CLOSED)
    },
  }
}
