// Streamable HTTP to a remote server (revisions up to 2025-11-25): one POST a message, answers as JSON or as an event stream.
import type { Dispatcher } from 'undici'
import { collect } from '../mcp/gather.ts'
import { createSseParser } from '../mcp/sse.ts'
import type { Log } from '../plugin/index.ts'
import { Slots } from '../slots.ts'
import type { Dialer } from './dialer.ts'
import { deniesSession, isMessage } from './http-body.ts'
import { mediaType, shownType, single } from './http-headers.ts'
import { createPostbox } from './postbox.ts'
import { openStandingStream, type StandingStream } from './standing-stream.ts'
import type { Transport, TransportEvents, TransportFault } from './transport.ts'

export interface HttpTransportOptions {
  readonly url: URL
  /** Sent with every request to this url's origin, and nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly dialer: Dialer
  readonly log: Log
}

interface Running {
  readonly id: number | undefined
  readonly controller: Dispatcher.DispatchController
}

const ACCEPT = 'application/json, text/event-stream'
/** What is no request is acknowledged at once. */
const ACKNOWLEDGE_MS = 10_000
/** A server that was told of a cancellation, or has answered, gets this long to end the stream itself. */
const ABANDON_MS = 1000

export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { url, maxBytes, log } = options
  const base = { ...options.headers, accept: ACCEPT, 'content-type': 'application/json' }
  const path = url.pathname + url.search
  let headers: Record<string, string> = base
  let sessionId: string | undefined
  let events: TransportEvents
  let pool: Dispatcher
  let closed = false
  let ended = false
  const running = new Slots<Running>()
  let standing: StandingStream | undefined
  const postbox = createPostbox({ origin: url.origin, maxBytes, log, post: message => post(message, undefined) })

  function close(fault: TransportFault): void {
    if (closed) return
    closed = true
    standing?.close()
    postbox.clear()
    for (const { controller } of running.all()) controller.abort(new Error('closed'))
    events.closed(fault)
  }

  /** The others under way find out for themselves: each gets its own 404 and may be made again. */
  function lose(fail: (fault: TransportFault) => void): void {
    fail({ code: 'upstream-unavailable', detail: 'the server does not know the session any more', undelivered: true })
    if (closed || ended) return
    ended = true
    standing?.close()
    events.ended?.({ code: 'upstream-crashed', detail: 'session lost' })
  }

  function post(body: Uint8Array, id: number | undefined): void {
    const fail = (fault: TransportFault) => {
      if (id !== undefined && !closed) events.failed(id, fault)
    }
    let finish: (() => void) | undefined
    let feed: ((chunk: Buffer) => void) | undefined
    let settled = false
    let slot = -1
    let linger: NodeJS.Timeout | undefined
    const settle = () => {
      const first = !settled
      settled = true
      clearTimeout(linger)
      if (slot >= 0) running.remove(slot)
      if (first && id === undefined) postbox.acknowledged()
    }
    pool.dispatch(
      { path, method: 'POST', headers, body },
      {
        onRequestStart(controller) {
          slot = running.add({ id, controller })
          if (id === undefined) linger = setTimeout(() => controller.abort(new Error('not acknowledged')), ACKNOWLEDGE_MS).unref()
        },
        onResponseStart(controller, status, responseHeaders) {
          const got = single(responseHeaders['mcp-session-id'])
          if (got !== undefined && sessionId === undefined) remember(got)
          if (status === 404 && sessionId !== undefined) {
            settle()
            controller.abort(new Error('session lost'))
            return lose(fail)
          }
          if (id === undefined) {
            feed = () => {}
            finish = () => status >= 400 && log.debug('server refused a notification', { status })
            return
          }
          const encoding = single(responseHeaders['content-encoding'])
          if (encoding !== undefined && encoding !== 'identity') {
            settle()
            controller.abort(new Error('encoded'))
            return fail({ code: 'upstream-garbage', detail: `content-encoding ${encoding} was not asked for` })
          }
          const type = mediaType(single(responseHeaders['content-type']))
          if (type === 'text/event-stream' && status < 300) {
            const parser = createSseParser({
              maxEventBytes: maxBytes,
              onEvent(event) {
                events.message(event.data, id)
                if (events.awaits?.(id) === false) linger ??= setTimeout(() => controller.abort(new Error('answered')), ABANDON_MS).unref()
              },
              onFault: fault => {
                settle()
                controller.abort(new Error('bad stream'))
                fail({ code: 'upstream-garbage', detail: fault.message })
              },
            })
            feed = chunk => parser.push(chunk)
            finish = () => {
              parser.end()
              // A no-op where the answer came; else the call is lost.
              fail({ code: 'upstream-crashed', detail: 'the event stream ended before the answer' })
            }
            return
          }
          const body = collect(maxBytes)
          feed = chunk => {
            if (body.push(chunk)) return
            settle()
            controller.abort(new Error('too large'))
            fail({ code: 'upstream-garbage', detail: `the answer is larger than ${maxBytes} bytes` })
          }
          finish = () => {
            const bytes = body.take()
            if (status === 400 && sessionId !== undefined && deniesSession(bytes)) return lose(fail)
            if (type === 'application/json' && (status < 400 || isMessage(bytes))) {
              events.message(bytes, id)
              // A no-op where that was the answer.
              return fail({ code: 'upstream-garbage', detail: 'the response is not the answer to its request' })
            }
            const code = status >= 500 || status === 429 || status === 401 || status === 403 ? 'upstream-unavailable' : 'upstream-garbage'
            fail({ code, detail: `HTTP ${status} ${shownType(type)}` })
          }
        },
        onResponseData(_controller, chunk) {
          if (!settled) feed?.(chunk)
        },
        onResponseEnd() {
          if (settled) return
          settle()
          finish?.()
        },
        onResponseError(_controller, error) {
          if (settled) return
          settle()
          fail({
            code: neverSent(error) ? 'upstream-unavailable' : 'upstream-crashed',
            detail: reasonOf(error),
            undelivered: neverSent(error),
          })
        },
      },
    )
  }

  function remember(id: string): void {
    sessionId = id
    headers = { ...headers, 'mcp-session-id': id }
  }

  return {
    async open(given) {
      events = given
      pool = await options.dialer.pool(url)
    },
    send(message, about) {
      if (closed) return
      if (about.kind === 'request') post(message, about.id)
      else postbox.push(message)
    },
    negotiated(version) {
      headers = { ...headers, 'mcp-protocol-version': version }
      standing = openStandingStream({ pool, path, headers, maxBytes, log, message: bytes => events.message(bytes, undefined) })
    },
    abandon(id) {
      setTimeout(() => running.find(one => one.id === id)?.controller.abort(new Error('abandoned')), ABANDON_MS).unref()
    },
    get backedUp() {
      return false
    },
    async close() {
      if (closed) return
      const end = headers
      const had = sessionId
      close({ code: 'upstream-unavailable', detail: 'closed' })
      if (had !== undefined) await endSession(pool, path, end)
    },
  }
}

async function endSession(pool: Dispatcher, path: string, headers: Record<string, string>): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, 1000)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    pool.dispatch(
      { path, method: 'DELETE', headers },
      { onRequestStart() {}, onResponseStart() {}, onResponseData() {}, onResponseEnd: done, onResponseError: done },
    )
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : 'unknown'
}

/** Errors after which it is certain that the server saw nothing. */
function neverSent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT'
}
