// What event streams said to clients that may come back for it: bounded for each session and for all together, the oldest dropped first. No timer.
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { formatSseEvent } from '../mcp/sse.ts'

export interface KeepLimits {
  /** Of one session. */
  readonly events: number
  readonly bytes: number
  /** Bytes of all sessions together. */
  readonly total: number
}

/** A stream that a client comes back to. */
export interface Resumable {
  /** Goes on with the event behind number `after`. */
  resume(response: ServerResponse, after: number): void
}

/** As text each character is a byte: a short one costs no block of memory of its own, and is no part of a larger one. */
export type StoredEvent = Uint8Array | string

interface Kept {
  readonly of: Track
  readonly number: number
  readonly event: StoredEvent
  /** In the order in which they came: of all sessions, of the session, of the stream. */
  older: Kept | undefined
  newer: Kept | undefined
  nextOfLog: Kept | undefined
  nextOfTrack: Kept | undefined
}

/** What one event costs beside its bytes. */
const RECORD = 256
const SMALL = 16 * 1024

export class EventStore {
  readonly limits: KeepLimits
  #bytes = 0
  #oldest: Kept | undefined
  #newest: Kept | undefined

  constructor(limits: KeepLimits) {
    this.limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `primes`: streams of this session begin with an event that has an id and no data. */
  open(primes: boolean): EventLog {
    return new EventLog(this, primes)
  }

  add(kept: Kept): void {
    kept.older = this.#newest
    if (this.#newest === undefined) this.#oldest = kept
    else this.#newest.newer = kept
    this.#newest = kept
    this.#bytes += sizeOf(kept)
    // Invariant: the oldest of all is the oldest of its session and of its stream.
    while (this.#bytes > this.limits.total) this.#oldest!.of.log.drop()
  }

  remove(kept: Kept): void {
    this.#bytes -= sizeOf(kept)
    if (kept.older === undefined) this.#oldest = kept.newer
    else kept.older.newer = kept.newer
    if (kept.newer === undefined) this.#newest = kept.older
    else kept.newer.older = kept.older
  }
}

/** The streams of one session. */
export class EventLog {
  readonly primes: boolean
  readonly #store: EventStore
  /** Spec: basic/transports, "Resumability and Redelivery": an id is unique in its session. The tag keeps those of others out. */
  readonly tag: string = randomBytes(9).toString('base64url')
  readonly #tracks = new Map<number, Track>()
  #begun = 0
  #events = 0
  #bytes = 0
  #first: Kept | undefined
  #last: Kept | undefined
  #ended = false

  constructor(store: EventStore, primes: boolean) {
    this.#store = store
    this.primes = primes
  }

  begin(stream: Resumable): Track {
    const track = new Track(this, ++this.#begun, stream)
    if (!this.#ended) this.#tracks.set(track.number, track)
    return track
  }

  /** Where an event id points to; `undefined` where it is none of this session, or nothing is left of its stream. */
  find(id: string): { readonly stream: Resumable; readonly after: number } | undefined {
    const [, tag, number, after] = /^([\w-]{12})\.(\d{1,15})\.(\d{1,15})$/.exec(id) ?? []
    const track = tag === this.tag ? this.#tracks.get(Number(number)) : undefined
    return track === undefined || Number(after) > track.said ? undefined : { stream: track.stream, after: Number(after) }
  }

  keep(kept: Kept): void {
    if (this.#ended) return
    if (this.#last === undefined) this.#first = kept
    else this.#last.nextOfLog = kept
    this.#last = kept
    kept.of.append(kept)
    this.#events++
    this.#bytes += sizeOf(kept)
    this.#store.add(kept)
    while (this.#events > this.#store.limits.events || this.#bytes > this.#store.limits.bytes) this.drop()
  }

  /** The oldest event goes. */
  drop(): void {
    const kept = this.#first
    if (kept === undefined) return
    this.#first = kept.nextOfLog
    if (this.#first === undefined) this.#last = undefined
    this.#events--
    this.#bytes -= sizeOf(kept)
    this.#store.remove(kept)
    kept.of.shift()
  }

  forget(track: Track): void {
    this.#tracks.delete(track.number)
  }

  end(): void {
    this.#ended = true
    while (this.#first !== undefined) this.drop()
    this.#tracks.clear()
  }
}

/** One stream. */
export class Track {
  readonly log: EventLog
  readonly number: number
  readonly stream: Resumable
  /** So many events so far: the number of the last one. */
  said = 0
  #first: Kept | undefined
  #last: Kept | undefined
  #closed = false

  constructor(log: EventLog, number: number, stream: Resumable) {
    this.log = log
    this.number = number
    this.stream = stream
  }

  idOf(number: number): string {
    return `${this.log.tag}.${this.number.toString()}.${number.toString()}`
  }

  /** The event as it goes out. */
  keep(message: Uint8Array): StoredEvent {
    const number = ++this.said
    const event = alone(formatSseEvent(message, { id: this.idOf(number) }))
    this.log.keep({ of: this, number, event, older: undefined, newer: undefined, nextOfLog: undefined, nextOfTrack: undefined })
    return event
  }

  *after(number: number): Iterable<StoredEvent> {
    for (let kept = this.#first; kept !== undefined; kept = kept.nextOfTrack) if (kept.number > number) yield kept.event
  }

  /** Nothing more is said: it is forgotten with the last of its events. */
  close(): void {
    this.#closed = true
    if (this.#first === undefined) this.log.forget(this)
  }

  append(kept: Kept): void {
    if (this.#last === undefined) this.#first = kept
    else this.#last.nextOfTrack = kept
    this.#last = kept
  }

  /** Its oldest event was dropped. */
  shift(): void {
    this.#first = this.#first?.nextOfTrack
    if (this.#first !== undefined) return
    this.#last = undefined
    if (this.#closed) this.log.forget(this)
  }
}

function sizeOf(kept: Kept): number {
  return kept.event.length + RECORD
}

function alone(event: Uint8Array): StoredEvent {
  if (event.length > SMALL) return event.buffer.byteLength === event.length ? event : new Uint8Array(event)
  return Buffer.from(event.buffer, event.byteOffset, event.length).toString('latin1')
}
