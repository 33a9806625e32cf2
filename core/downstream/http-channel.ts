// The way back of a POST: a plain answer, and an event stream only where something must be said before it, or it is long in coming.
import type { ServerResponse } from 'node:http'
import { headersFor } from './answer-headers.ts'
import type { EventLog } from './event-store.ts'
import { EventStream } from './event-stream.ts'
import type { ReplyChannel, ReplyHead } from './session.ts'
import { connectionOf, type Unread } from './unread.ts'

const SMALL = 16 * 1024
const NO_HEAD: ReplyHead = Object.freeze({})

export class HttpReply implements ReplyChannel {
  readonly #response: ServerResponse
  readonly #unread: Unread
  readonly #mayStream: boolean
  readonly #log: EventLog | undefined
  #stream: EventStream | undefined
  #waits = false

  /** `log`: where a stream is kept for a client that can resume it. */
  constructor(response: ServerResponse, unread: Unread, mayStream: boolean, log?: EventLog) {
    this.#response = response
    this.#unread = unread
    this.#mayStream = mayStream
    this.#log = log
  }

  get open(): boolean {
    if (this.#stream !== undefined) return this.#stream.open
    return this.#mayStream && connectionOf(this.#response) !== undefined
  }

  get away(): boolean {
    return this.#stream?.away ?? connectionOf(this.#response) === undefined
  }

  send(message: Uint8Array): void {
    if (this.open) this.#streaming().send(message)
  }

  #streaming(): EventStream {
    if (this.#stream === undefined) {
      this.#stream = new EventStream(this.#unread, this.#log)
      this.#stream.begin(this.#response)
    }
    return this.#stream
  }

  /** Called now and then while the answer is awaited; from the second time on the connection must not look dead. */
  keepAlive(): void {
    if (this.#waits && this.open) this.#streaming().keepAlive()
    this.#waits = true
  }

  reply(message: Uint8Array, status = 200, { sessionId, challenge, retryAfter }: ReplyHead = NO_HEAD): void {
    if (this.#stream !== undefined) return this.#stream.finish(message)
    const response = this.#response
    if (connectionOf(response) === undefined) return
    if (message.length === 0) return endWith(response, 202)
    const headers = headersFor(response)
    headers['content-type'] = 'application/json'
    headers['content-length'] = message.length
    if (sessionId !== undefined) headers['mcp-session-id'] = sessionId
    // Spec: RFC 9110, 15.5.2: a 401 has one, whatever refused.
    if (challenge !== undefined || status === 401) headers['www-authenticate'] = challenge ?? 'Bearer realm="mcpgw"'
    if (retryAfter !== undefined) headers['retry-after'] = Math.ceil(retryAfter)
    response.writeHead(status, headers)
    // A short body as text goes out in one write with the headers; latin1 keeps every byte.
    if (message.length <= SMALL) response.end(Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1'), 'latin1')
    else response.end(message)
    this.#unread.note(response)
  }
}

export function endWith(response: ServerResponse, status: number): void {
  response.writeHead(status, { ...headersFor(response), 'content-length': 0 })
  response.end()
}

/** Tells where the connection goes before the answer is out. */
export function whenHungUp(response: ServerResponse, tell: () => void): void {
  const closed = (): void => {
    if (!response.writableFinished) tell()
  }
  response.on('close', closed)
  if (response.socket !== null) return
  // Invariant: of pipelined requests Node closes only the response whose turn it is; for the others the connection tells.
  const { socket } = response.req
  socket.setMaxListeners(0)
  socket.on('close', closed)
  response.on('close', () => socket.off('close', closed))
}
