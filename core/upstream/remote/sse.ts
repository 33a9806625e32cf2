// The older transport, HTTP+SSE: one event stream brings all that the server says, and names the address that takes what it is sent.
// Spec: 2024-11-05 basic/transports, "HTTP with SSE".
import type { Dispatcher } from 'undici'
import { createSseParser, type SseEvent, type SseParser } from '../../mcp/sse.ts'
import { Slots } from '../../slots.ts'
import type { Behalf } from '../behalf.ts'
import type { Transport, TransportEvents, TransportFault } from '../transport.ts'
import type { Sender } from './authorized.ts'
import { type HttpTransportOptions, senderOf } from './http.ts'
import { connectionFault, statusFault } from './http-error.ts'
import { baseHeaders, isEncoded, mediaType, shownType, streamHeaders } from './http-headers.ts'
import { createPostbox } from './postbox.ts'

/** From the GET to the event that names the address. */
const ENDPOINT_MS = 10_000
/** What is posted is acknowledged at once; a request at the latest with its answer. */
const ACKNOWLEDGE_MS = 10_000
const ENOUGH = new Error('not needed any more')

interface Running {
  controller: Dispatcher.DispatchController | undefined
  isOver: boolean
}

export function createSseTransport(options: HttpTransportOptions): Transport {
  const { url, maxBytes, log } = options
  const headers = baseHeaders(options.headers)
  let events: TransportEvents
  let pool: Sender
  let endpoint = ''
  let closed = false
  /** Set until the server has named its address. */
  let opening: { resolve(): void; reject(fault: TransportFault): void } | undefined
  let stream: Dispatcher.DispatchController | undefined
  let timer: NodeJS.Timeout | undefined
  const running = new Slots<Running>()
  const postbox = createPostbox({ origin: url.origin, maxBytes, log, post: message => post(message, undefined, undefined) })

  function close(fault: TransportFault): void {
    if (closed) return
    closed = true
    clearTimeout(timer)
    postbox.clear()
    stream?.abort(ENOUGH)
    for (const one of running.all()) end(one)
    if (opening === undefined) return events?.closed(fault)
    opening.reject(fault)
    opening = undefined
  }

  function hear(event: SseEvent): void {
    if (closed) return
    if (opening === undefined) {
      if (event.event === 'message') events.message(event.data, undefined)
      return
    }
    const named = event.event === 'endpoint' ? resolveEndpoint(Buffer.from(event.data).toString(), url) : undefined
    if (named === undefined)
      return close({ code: 'upstream-garbage', detail: 'the event stream does not begin with an address of the same origin' })
    endpoint = named
    clearTimeout(timer)
    opening.resolve()
    opening = undefined
  }

  function listen(): void {
    let parser: SseParser | undefined
    pool.dispatch(
      { path: url.pathname + url.search, method: 'GET', headers: streamHeaders(headers) as Record<string, string> },
      {
        onRequestStart(controller) {
          stream = controller
          if (closed) controller.abort(ENOUGH)
        },
        onResponseStart(_controller, status, responseHeaders) {
          const type = mediaType(responseHeaders['content-type'])
          if (status !== 200 || type !== 'text/event-stream' || isEncoded(responseHeaders))
            return close(statusFault(status, `${shownType(type)} to GET`))
          parser = createSseParser({
            maxEventBytes: maxBytes,
            onEvent: hear,
            onFault: fault => close({ code: 'upstream-garbage', detail: fault.message }),
          })
        },
        onResponseData(_controller, chunk) {
          if (!closed) parser?.push(chunk)
        },
        onResponseEnd: () => close({ code: 'upstream-crashed', detail: 'the event stream ended' }),
        onResponseError: (_controller, error) => close(connectionFault(error)),
      },
    )
  }

  function end(one: Running): void {
    one.isOver = true
    one.controller?.abort(ENOUGH)
  }

  /** The answer to a request comes on the stream; its response says only whether it was taken. */
  function post(body: Uint8Array, id: number | undefined, behalf: Behalf | undefined): void {
    const one: Running = { controller: undefined, isOver: false }
    const slot = running.add(one)
    const watch = setInterval(() => {
      if (id !== undefined && events.awaits?.(id) !== false) return
      end(one)
      settle()
    }, ACKNOWLEDGE_MS)
    watch.unref()
    let isSettled = false
    const settle = (fault?: TransportFault) => {
      if (isSettled) return
      isSettled = true
      clearInterval(watch)
      running.remove(slot)
      if (id === undefined) postbox.acknowledged()
      // Invariant: nothing is told before `send` has returned.
      else if (fault !== undefined) queueMicrotask(() => closed || events.failed(id, fault))
    }
    pool.dispatch(
      { path: endpoint, method: 'POST', headers: headers as Record<string, string>, body, behalf },
      {
        onRequestStart(controller) {
          one.controller = controller
          if (one.isOver) controller.abort(ENOUGH)
        },
        onResponseStart(_controller, status, responseHeaders) {
          if (status >= 200 && status < 300) return
          if (id === undefined) log.debug('server refused a notification', { status })
          settle(statusFault(status, shownType(mediaType(responseHeaders['content-type']))))
        },
        onResponseData() {},
        onResponseEnd: () => settle(),
        onResponseError: (_controller, error) => settle(one.isOver ? undefined : connectionFault(error)),
      },
    )
  }

  return {
    async open(given) {
      events = given
      pool = await senderOf(options)
      await new Promise<void>((resolve, reject) => {
        opening = { resolve, reject }
        timer = setTimeout(() => close({ code: 'upstream-timeout', detail: 'the event stream names no address' }), ENDPOINT_MS)
        timer.unref()
        listen()
      })
    },
    send(message, about) {
      if (closed) return
      if (about.kind === 'request') post(message, about.id, about.behalf)
      else postbox.push(message)
    },
    get backedUp() {
      return false
    },
    async close() {
      close({ code: 'upstream-unavailable', detail: 'closed' })
    },
  }
}

const MAX_ENDPOINT = 4096

/** Invariant: what we send, credentials included, goes to the configured origin and nowhere else. */
function resolveEndpoint(text: string, url: URL): string | undefined {
  // A host of many foreign letters takes seconds to parse.
  const named = text.length <= MAX_ENDPOINT && URL.canParse(text, url.href) ? new URL(text, url) : undefined
  return named?.origin === url.origin ? named.pathname + named.search : undefined
}
