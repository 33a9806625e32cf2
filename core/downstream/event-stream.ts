// One event stream to a client, over one connection after the other: who comes back is told what was missed, then goes on.
import type { ServerResponse } from 'node:http'
import { formatSseEvent } from '../mcp/sse.ts'
import { headersFor } from './answer-headers.ts'
import type { EventLog, Resumable, Track } from './event-store.ts'
import type { Channel } from './session.ts'
import { connectionOf, type Unread } from './unread.ts'

const HEADERS = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }
const COMMENT = ': keep-alive\n\n'
/** Where the gateway ends a connection, this is how long a client should wait before it comes back. */
const RETRY = 'retry: 3000\n\n'

export class EventStream implements Channel, Resumable {
  readonly #unread: Unread
  readonly #log: EventLog | undefined
  readonly #track: Track | undefined
  #response: ServerResponse | undefined
  /** The last event that was written to any connection. */
  #written = 0
  #ended = false

  /** Without `log` nothing is kept: what is said while nobody listens is lost. */
  constructor(unread: Unread, log: EventLog | undefined) {
    this.#unread = unread
    this.#log = log
    this.#track = log?.begin(this)
  }

  get open(): boolean {
    return !this.#ended && (this.#track !== undefined || this.#connection !== undefined)
  }

  get away(): boolean {
    return this.#connection === undefined
  }

  get #connection(): ServerResponse | undefined {
    const response = this.#response
    return response === undefined || connectionOf(response) === undefined ? undefined : response
  }

  /** A connection of a client that names no event: it is told what nobody was told yet. */
  begin(response: ServerResponse): void {
    this.#take(response)
    // Spec: basic/transports, "Sending Messages to the Server", 6: an id to come back with, before anything else is said.
    if (this.#log?.primes) response.write(`id: ${this.#track!.idOf(this.#written)}\ndata: \n\n`)
    this.#replay(response, this.#written)
  }

  resume(response: ServerResponse, after: number): void {
    this.#take(response)
    this.#replay(response, after)
  }

  /** Invariant: a message goes out on one connection; the one before is not written to again. */
  #take(response: ServerResponse): void {
    this.#connection?.end()
    this.#response = response
    response.writeHead(200, { ...headersFor(response), ...HEADERS })
  }

  #replay(response: ServerResponse, after: number): void {
    // No more than the session may keep, whatever the connection may hold.
    for (const event of this.#track?.after(after) ?? []) {
      response.write(event, 'latin1')
      this.#unread.note(response)
      // It may have been cut for what others hold.
      if (this.#connection === undefined) return
    }
    this.#written = this.#track?.said ?? 0
    if (this.#ended) response.end()
    else response.flushHeaders()
  }

  send(message: Uint8Array): void {
    if (!this.open) return
    const event = this.#track?.keep(message) ?? formatSseEvent(message)
    const response = this.#connection
    if (response === undefined || !this.#unread.allows(response)) return
    response.write(event, 'latin1')
    this.#unread.note(response)
    this.#written = this.#track?.said ?? 0
  }

  /** The last message; none where it is empty. What is kept of the stream can still be fetched. */
  finish(message: Uint8Array): void {
    if (message.length > 0) this.send(message)
    this.end()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#track?.close()
    this.#connection?.end()
  }

  /** The connection ends, the stream does not. */
  release(): void {
    this.#connection?.end(RETRY)
  }

  /** A comment, so that nothing between us and the client takes the stream for dead. Whoever has something unread needs none. */
  keepAlive(): void {
    const response = this.#connection
    if (response !== undefined && !response.writableNeedDrain) response.write(COMMENT)
  }
}
