// One message POSTed to a remote server, and its response: read as one message of JSON, or as an event stream that may go on elsewhere.
import type { Dispatcher } from 'undici'
import { type Collector, collect } from '../../mcp/gather.ts'
import { createSseParser, type SseParser } from '../../mcp/sse.ts'
import type { Behalf } from '../behalf.ts'
import type { TransportFault } from '../transport.ts'
import type { Sender } from './authorized.ts'
import type { GetStream, GetStreamOptions, Place } from './get-stream.ts'
import { deniesSession, isMessage } from './http-body.ts'
import { connectionFault, statusFault } from './http-error.ts'
import { type Headers, isEncoded, isSendable, mediaType, shownType, single } from './http-headers.ts'

/** What the transport does for all that it posts. */
export interface PostOwner {
  readonly maxBytes: number
  message(bytes: Uint8Array, during: number): void
  failed(id: number, fault: TransportFault): void
  awaits(id: number): boolean
  /** A response has begun, and names a session. */
  offered(post: Post, status: number, session: string): void
  /** The server does not know the session that this was sent in. */
  lost(post: Post): void
  /** Nothing more comes of it. Once; `status` where there was a response. */
  settled(post: Post, status: number): void
  resume(events: Pick<GetStreamOptions, 'message' | 'isWanted' | 'ended'>, from: Place): GetStream
}

export interface PostAbout {
  /** Of a request; undefined for what is none. */
  readonly id: number | undefined
  /** The session it is sent in. */
  readonly session: string | undefined
  /** True where the request stands for itself: to end its response is to cancel it, and no stream of it can be resumed. */
  readonly isStateless: boolean
}

/** What is no request is acknowledged at once. */
const ACKNOWLEDGE_MS = 10_000
/** A server that was told of a cancellation, or has answered, gets this long to end the stream itself. */
const ABANDON_MS = 1000
const ENOUGH = new Error('not needed any more')

// One object for each call, which undici calls back: closures would be ten.
export class Post implements Dispatcher.DispatchHandler {
  readonly about: PostAbout
  /** Where the owner keeps it. */
  slot = -1
  readonly #owner: PostOwner
  #controller: Dispatcher.DispatchController | undefined
  #dispatched = false
  #settled = false
  #status = 0
  #type = ''
  #parser: SseParser | undefined
  #body: Collector | undefined
  #resumed: GetStream | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(about: PostAbout, owner: PostOwner) {
    this.about = about
    this.#owner = owner
  }

  send(pool: Sender, path: string, headers: Headers, body: Uint8Array, behalf?: Behalf): void {
    pool.dispatch({ path, method: 'POST', headers: headers as Record<string, string>, body, ...(behalf && { behalf }) }, this)
    this.#dispatched = true
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    if (this.about.isStateless) this.stop()
    else this.#stopSoon(ABANDON_MS)
  }

  /** Ends it without a word. */
  stop(): void {
    this.#settle()
    this.#controller?.abort(ENOUGH)
  }

  /** Ends it: there will be no answer. */
  fail(fault: TransportFault): void {
    if (this.#settled) return
    this.#settle()
    this.#controller?.abort(ENOUGH)
    this.#tell(fault)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#settled) controller.abort(ENOUGH)
    else if (this.about.id === undefined) this.#stopSoon(ACKNOWLEDGE_MS)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#settled) return
    const { id, session } = this.about
    this.#status = status
    const offered = single(headers['mcp-session-id'])
    if (offered !== undefined) this.#owner.offered(this, status, offered)
    if (status === 404 && session !== undefined) return this.#owner.lost(this)
    if (id === undefined) return
    if (isEncoded(headers)) return this.fail({ code: 'upstream-garbage', detail: 'a content-encoding that was not asked for', status })
    this.#type = mediaType(headers['content-type'])
    if (this.#type === 'text/event-stream' && status < 300) this.#parser = this.#readStream(id)
    else this.#body = collect(this.#owner.maxBytes)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return
    if (this.#parser !== undefined) this.#parser.push(chunk)
    else if (this.#body?.push(chunk) === false)
      this.fail({ code: 'upstream-garbage', detail: `the answer is larger than ${this.#owner.maxBytes} bytes` })
  }

  onResponseEnd(): void {
    if (this.#settled) return
    if (this.#parser !== undefined) this.#endStream({ code: 'upstream-crashed', detail: 'the event stream ended before the answer' })
    else if (this.#body !== undefined) this.#readBody(this.#body.take())
    else this.#settle()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settled) return
    const fault = connectionFault(error)
    if (this.#parser !== undefined) this.#endStream(fault)
    else this.fail(fault)
  }

  #readBody(bytes: Uint8Array): void {
    const status = this.#status
    const id = this.about.id!
    if (this.about.session !== undefined && deniesSession(status, bytes)) return this.#owner.lost(this)
    if (this.#type !== 'application/json' || (status >= 400 && !isMessage(bytes)))
      return this.fail(statusFault(status, shownType(this.#type)))
    this.#settle()
    this.#owner.message(bytes, id)
    this.#tell({ code: 'upstream-garbage', detail: 'the response is not the answer to its request' })
  }

  #readStream(id: number): SseParser {
    return createSseParser({
      maxEventBytes: this.#owner.maxBytes,
      onEvent: event => {
        if (event.event === 'message') this.#take(id, event.data)
      },
      onFault: fault => this.fail({ code: 'upstream-garbage', detail: fault.message }),
    })
  }

  #take(id: number, bytes: Uint8Array): void {
    this.#owner.message(bytes, id)
    if (!this.#settled && this.#timer === undefined && !this.#owner.awaits(id)) this.#stopSoon(ABANDON_MS)
  }

  /** Spec: 2025-11-25 basic/transports: a stream with event ids may break off, and is gone on with; the call lives on. */
  #endStream(fault: TransportFault): void {
    const parser = this.#parser!
    const id = this.about.id!
    const lastEventId = parser.lastEventId()
    if (this.about.isStateless || !isSendable(lastEventId) || !this.#owner.awaits(id)) return this.fail(fault)
    this.#controller = undefined
    this.#resumed = this.#owner.resume(
      {
        message: bytes => this.#take(id, bytes),
        isWanted: () => this.#owner.awaits(id),
        ended: (why, garbage) =>
          this.fail(garbage ? { code: 'upstream-garbage', detail: why } : { ...fault, detail: `${fault.detail}; ${why}` }),
      },
      { lastEventId, retryMs: parser.retry() },
    )
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#timer)
    this.#resumed?.close()
    this.#owner.settled(this, this.#status)
  }

  #stopSoon(ms: number): void {
    this.#timer = setTimeout(() => this.stop(), ms)
    this.#timer.unref()
  }

  #tell(fault: TransportFault): void {
    const { id } = this.about
    if (id === undefined || !this.#owner.awaits(id)) return
    // Invariant: nothing is told before `send` has returned.
    if (this.#dispatched) this.#owner.failed(id, fault)
    else queueMicrotask(() => this.#owner.failed(id, fault))
  }
}
