// An event stream that is opened with GET, and opened again behind its last event when it breaks off.
// Spec: 2025-11-25 basic/transports, "Resumability and Redelivery"; WHATWG HTML, 9.2.3.
import type { Dispatcher } from 'undici'
import { createSseParser, type SseParser } from '../mcp/sse.ts'
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
  readonly pool: Dispatcher
  readonly path: string
  readonly headers: Headers
  readonly maxBytes: number
  /** Set where it goes on with another stream: the wait comes first. */
  readonly from?: Place
  /** Waits after attempts in a row that the server refused; the last one stands for all that follow. */
  readonly waitsMs: readonly number[]
  /** It is given up after so many attempts in a row that brought nothing. */
  readonly attempts: number
  message(bytes: Uint8Array): void
  isWanted(): boolean
  /** Once, unless closed: it will not be opened again. `garbage`: it was no stream that can be read. */
  ended(why: string, garbage: boolean): void
}

/** Even where a server wants no wait at all, it is not asked in a loop. */
const MIN_WAIT_MS = 20
const CLOSED = new Error('closed')

export function openGetStream(options: GetStreamOptions): GetStream {
  const { pool, path, headers, maxBytes, waitsMs } = options
  let lastEventId = options.from?.lastEventId
  let retryMs = options.from?.retryMs
  let refused = 0
  let fruitless = 0
  let closed = false
  let running: Dispatcher.DispatchController | undefined
  let timer: NodeJS.Timeout | undefined

  function end(why: string, garbage = false): void {
    if (closed) return
    closed = true
    options.ended(why, garbage)
  }

  function wait(): void {
    const ours = waitsMs[Math.min(refused, waitsMs.length - 1)]!
    const ms = Math.max(MIN_WAIT_MS, refused === 0 ? (retryMs ?? ours) : Math.max(retryMs ?? 0, ours))
    // Never sooner than the server wants, and not all at once where many streams broke together.
    timer = setTimeout(listen, Math.min(ms + (Math.random() * ms) / 10, 0x7fff_ffff)).unref()
  }

  function again(parser: SseParser | undefined, brought: boolean, why: string): void {
    running = undefined
    if (closed) return
    const id = parser?.lastEventId() ?? ''
    const isFarther = brought || (id !== '' && id !== lastEventId)
    if (id !== '') lastEventId = isSendable(id) ? id : undefined
    retryMs = parser?.retry() ?? retryMs
    refused = parser === undefined ? refused + 1 : 0
    fruitless = isFarther ? 0 : fruitless + 1
    if (!options.isWanted() || fruitless >= options.attempts) end(why)
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
          if (refusal === undefined) again(parser, brought, 'the event stream ended before the answer')
          else end(refusal)
        },
        onResponseError(_controller, error) {
          again(parser, brought, reasonOf(error))
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
