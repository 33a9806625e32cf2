// Ways to an HTTP client: a reply that becomes an event stream only when something must be said before it, and the standing stream.
import type { ServerResponse } from 'node:http'
import { formatSseEvent } from '../mcp/sse.ts'
import type { Channel, ReplyChannel } from './session.ts'

/** A reader that leaves this much unread is cut: memory is bounded per connection. */
const MAX_UNREAD = 16 * 1024 * 1024
const SMALL = 16 * 1024
const STREAM_HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

export class HttpReply implements ReplyChannel {
  readonly #response: ServerResponse
  readonly #mayStream: boolean
  #streaming = false

  constructor(response: ServerResponse, mayStream: boolean) {
    this.#response = response
    this.#mayStream = mayStream
  }

  get open(): boolean {
    return this.#mayStream && !this.#response.writableEnded && !this.#response.destroyed
  }

  send(message: Uint8Array): void {
    if (!this.open) return
    if (!this.#streaming) {
      this.#streaming = true
      this.#response.writeHead(200, STREAM_HEADERS)
    }
    writeEvent(this.#response, message)
  }

  reply(message: Uint8Array, status = 200, sessionId?: string): void {
    const response = this.#response
    if (response.writableEnded || response.destroyed) return
    if (this.#streaming) {
      if (message.length > 0) response.write(formatSseEvent(message))
      response.end()
      return
    }
    if (message.length === 0) return endWith(response, 202)
    const headers: Record<string, string | number> = { 'content-type': 'application/json', 'content-length': message.length }
    if (sessionId !== undefined) headers['mcp-session-id'] = sessionId
    if (status === 401) headers['www-authenticate'] = 'Bearer realm="mcpgw"'
    response.writeHead(status, headers)
    // A short body as text goes out in one write with the headers; latin1 keeps every byte.
    if (message.length <= SMALL) response.end(Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1'), 'latin1')
    else response.end(message)
  }
}

export function endWith(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 })
  response.end()
}

/** The stream a client opened with GET. */
export class HttpStream implements Channel {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
    response.writeHead(200, STREAM_HEADERS)
    response.flushHeaders()
  }

  get open(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed
  }

  send(message: Uint8Array): void {
    if (this.open) writeEvent(this.#response, message)
  }

  /** A comment, so that nothing between us and the client takes the stream for dead. */
  keepAlive(): void {
    if (this.open) this.#response.write(': keep-alive\n\n')
  }

  end(): void {
    if (this.open) this.#response.end()
  }
}

function writeEvent(response: ServerResponse, message: Uint8Array): void {
  response.write(formatSseEvent(message))
  if (response.writableLength > MAX_UNREAD) response.destroy()
}
