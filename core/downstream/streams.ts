// The event streams of the HTTP listener: what they may hold together, what is kept of them, and one timer for all of them.
import type { ServerResponse } from 'node:http'
import type { Clock } from '../plugin/index.ts'
import { Slots } from '../slots.ts'
import { type EventLog, EventStore } from './event-store.ts'
import { EventStream } from './event-stream.ts'
import { HttpReply } from './http-channel.ts'
import type { Session } from './session.ts'
import { Unread } from './unread.ts'

export interface Streams {
  /** An answer that is one plain message whatever happens. */
  plain(response: ServerResponse): HttpReply
  /** The way back of a request; where it has a session, a stream can be resumed. */
  reply(response: ServerResponse, session: Session | undefined): HttpReply
  /** While the answer is long in coming the connection is kept alive. */
  awaited(reply: HttpReply, work: Promise<void>): Promise<void>
  /** What a GET opens: the standing stream, or the one that `lastEventId` names; false where nothing is kept of that one. */
  listen(response: ServerResponse, session: Session, lastEventId: string | undefined): boolean
  /** Lets the clients of standing streams go; what is awaited stays. */
  close(): void
}

/** Each has its turn every twenty seconds, a part of them each second: thousands at once would hold up everything else. */
const TURN_MS = 1000
const TURNS = 20
/** A client that takes nothing for so long, though there is something to read, is cut. */
const STALL_MS = 60_000
/** So many of the longest messages may wait to be read by slow clients, and be kept for those that come back. */
const UNREAD = 8
const KEPT = 4
/** Of one session: so many events, and the longest message with its envelope. */
const KEPT_EVENTS = 1000
const ENVELOPE = 64 * 1024
/** Revisions from which on a client can resume, and takes an event without data. */
const RESUMES = '2025-03-26'
const PRIMES = '2025-11-25'

interface Standing {
  readonly stream: EventStream
  readonly slot: number
}

export function createStreams(clock: Clock, messageBytes: number): Streams {
  const unread = new Unread({ each: messageBytes, total: UNREAD * messageBytes, stallMs: STALL_MS })
  const store = new EventStore({ events: KEPT_EVENTS, bytes: messageBytes + ENVELOPE, total: KEPT * messageBytes })
  const standing = new Slots<Standing>()
  const replies = new Slots<HttpReply>()
  let turn = 0
  let stop = clock.after(TURN_MS, keepAlive)

  function keepAlive(): void {
    stop = clock.after(TURN_MS, keepAlive)
    turn = (turn + 1) % TURNS
    for (const { stream, slot } of standing.share(turn, TURNS)) {
      if (stream.open) stream.keepAlive()
      else standing.remove(slot)
    }
    for (const reply of replies.share(turn, TURNS)) reply.keepAlive()
    if (turn === 0) unread.recount()
  }

  function openStanding(session: Session): EventStream {
    const stream = new EventStream(unread, logOf(session))
    const entry = { stream, slot: 0 }
    entry.slot = standing.add(entry)
    session.stream = stream
    return stream
  }

  function logOf(session: Session): EventLog | undefined {
    if (session.events === undefined && session.protocolVersion >= RESUMES) session.events = store.open(session.protocolVersion >= PRIMES)
    return session.events
  }

  return {
    plain: response => new HttpReply(response, unread, false),
    reply: (response, session) => new HttpReply(response, unread, true, session && logOf(session)),
    async awaited(reply, work) {
      const slot = replies.add(reply)
      try {
        await work
      } finally {
        replies.remove(slot)
      }
    },
    listen(response, session, lastEventId) {
      const log = logOf(session)
      // Older clients never saw an id of ours; an empty one is none.
      if (log !== undefined && lastEventId !== undefined && lastEventId !== '') {
        const found = log.find(lastEventId)
        found?.stream.resume(response, found.after)
        return found !== undefined
      }
      // A client has one standing stream: a second connection takes it over.
      const before = session.stream
      const stream = before instanceof EventStream && before.open ? before : openStanding(session)
      stream.begin(response)
      return true
    },
    close() {
      stop()
      for (const { stream } of standing.all()) stream.release()
    },
  }
}
