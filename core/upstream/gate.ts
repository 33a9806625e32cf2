// The gate in front of one server, for all its lanes: so many calls are under way, so many wait for a place, the others are refused at once.
import { whichOf } from '../config/places.ts'
import type { ServerConfig } from '../config/schema.ts'
import { defaults } from '../config/schema.ts'
import type { ErrorCode } from '../errors.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import type { Distribution } from '../metrics/distribution.ts'
import type { AdminEvent, Answer, Clock, Log } from '../plugin/index.ts'
import { type Breaker, type BreakerDeps, type BreakerState, type CallEnd, createBreaker } from './breaker.ts'
import { type LaneCall, UNWELL } from './calls.ts'
import { createQueue, type Held, type Waiting } from './queue.ts'

export interface GateDeps extends Pick<BreakerDeps, 'random' | 'limits'> {
  readonly server: Pick<ServerConfig, 'id' | 'version' | 'instance' | 'limits' | 'timeout'>
  readonly clock: Clock
  readonly log: Log
  /** For the record: `server.breaker`. */
  readonly onEvent?: (event: AdminEvent) => void
  /** Seconds that each call took. */
  readonly took?: Pick<Distribution, 'observe'> | undefined
  /** The breaker has changed its state. */
  readonly onChange?: (gate: GateView) => void
}

/** A place: the breaker's period in which the call began. Whoever has one must leave. */
export type Place = number

export interface GateView {
  readonly breaker: BreakerState
  readonly underWay: number
  readonly waiting: number
  /** So far: calls refused because too many waited, calls refused by the breaker, answers that came when nobody waited any more. */
  readonly busy: number
  readonly refused: number
  readonly late: number
  /** Why the breaker is not closed, and before when no call goes through, ms. */
  readonly why?: string
  readonly retryAfterMs?: number
  /** By an operator. */
  readonly killed?: true
}

export interface Gate {
  /** A place, or the answer instead of one; a promise only where the call has to wait. `bytes`: what it holds while it does. */
  enter(lane: Held, call: LaneCall, bytes: number): Place | Answer | Promise<Place | Answer>
  /** `undefined` where the end of the call says nothing of how the server is. `ms`: since it had its place. */
  leave(place: Place, answer: Answer | undefined, ms: number): void
  mono(): number
  /** A call that has a place waits for its client, or goes on: meanwhile its place is for others. */
  rest(isResting: boolean): void
  /** A lane is not backed up any more. */
  review(): void
  /** Counts an answer for which nobody waits. */
  noteLate(): void
  /** An operator has killed the server, or no longer: while it is shut nothing goes through, and whatever waited has been refused. */
  shut(isShut: boolean): void
  readonly isShut: boolean
  readonly view: GateView
  /** Calls under way and waiting. */
  readonly load: number
  /** For how long the oldest call waits for a place, where at least so many do; otherwise 0. */
  waitedMs(many: number): number
  /** Another call would have to wait. */
  readonly isFull: boolean
  readonly breaker: Pick<Breaker, 'state' | 'retryAfterMs'>
}

const FAILURES: ReadonlySet<string> = new Set<ErrorCode | typeof UNWELL>([
  UNWELL,
  'upstream-timeout',
  'upstream-unavailable',
  'upstream-crashed',
  'upstream-garbage',
])
/** Seconds. */
const BUSY_RETRY = 1

export function createGate(deps: GateDeps): Gate {
  const { server, clock, log } = deps
  const { concurrency, queue: places } = server.limits ?? defaults.server
  const room = concurrency === 0 ? Number.POSITIVE_INFINITY : concurrency
  const patienceMs = server.timeout.callMs > 0 ? server.timeout.callMs : (server.timeout.maxMs ?? 0)
  const queue = createQueue(places)
  const about = { server: server.id, ...whichOf(server) }
  let underWay = 0
  let busy = 0
  let refused = 0
  let late = 0
  let why: string | undefined
  let reviewing = false
  let isShut = false

  const breaker = createBreaker({
    clock,
    ...(deps.random && { random: deps.random }),
    ...(deps.limits && { limits: deps.limits }),
    onChange(from, to, reason) {
      why = to === 'closed' ? undefined : to === 'open' ? reason : why
      deps.onEvent?.({ type: 'server.breaker', detail: { ...about, from, to, why: reason } })
      if (to === 'open') log.warn('server is left alone for a while', { ...about, why: reason, retryInMs: breaker.retryAfterMs })
      else log.info('breaker of server', { ...about, from, to })
      if (to === 'open') for (const one of queue.all()) one.settle(refuse(breaker.retryAfterMs))
      deps.onChange?.(view())
    },
  })

  function refuse(retryAfterMs: number): Answer {
    refused++
    return errorAnswer('upstream-unavailable', { server: server.id, retryAfter: Math.ceil(retryAfterMs / 1000) })
  }

  function tooBusy(): Answer {
    busy++
    return errorAnswer('upstream-busy', { server: server.id, retryAfter: BUSY_RETRY })
  }

  function enter(lane: Held, call: LaneCall, bytes: number): Place | Answer | Promise<Place | Answer> {
    const free = underWay < room && !lane.backedUp
    // Nobody waits for a server of which it is not known that it is well.
    if (breaker.state !== 'closed') {
      const waitMs = free ? breaker.knock() : Math.max(1, breaker.retryAfterMs)
      if (waitMs > 0) return refuse(waitMs)
    } else if (!free || queue.size > 0) return wait(lane, call, bytes)
    underWay++
    return breaker.period
  }

  function wait(lane: Held, { cancel, owner = '' }: LaneCall, bytes: number): Answer | Promise<Place | Answer> {
    if (cancel?.cancelled) return errorAnswer('cancelled', { server: server.id })
    while (!queue.hasRoom(bytes)) {
      const other = queue.longestBut(owner)
      if (other === undefined) return tooBusy()
      other.settle(tooBusy())
    }
    return new Promise(resolve => {
      let stopTimer = () => {}
      const one: Waiting<Place | Answer> = {
        owner,
        bytes,
        lane,
        since: clock.mono(),
        settle(entry) {
          if (!queue.remove(one)) return
          stopTimer()
          cancel?.listen(undefined)
          resolve(entry)
        },
      }
      queue.add(one)
      cancel?.listen(() => one.settle(errorAnswer('cancelled', { server: server.id })))
      if (patienceMs > 0) stopTimer = clock.after(patienceMs, () => giveUp(one))
      review()
    })
  }

  function giveUp(one: Waiting<Place | Answer>): void {
    if (!one.lane.backedUp) return one.settle(tooBusy())
    // A server that has read nothing for so long is in no better state than one that answers nothing.
    one.settle(errorAnswer('upstream-unavailable', { server: server.id }))
    breaker.ended(breaker.period, 'failed')
  }

  /** One at a time, each after the one before has been sent: what it sent may have filled the pipe. */
  function review(): void {
    if (reviewing || queue.size === 0 || underWay >= room) return
    const next = queue.next()
    if (next === undefined) return
    underWay++
    next.settle(breaker.period)
    reviewing = true
    queueMicrotask(() => {
      reviewing = false
      review()
    })
  }

  function leave(place: Place, answer: Answer | undefined, ms: number): void {
    underWay--
    deps.took?.observe(ms / 1000)
    breaker.ended(place, endOf(answer))
    review()
  }

  function rest(isResting: boolean): void {
    underWay += isResting ? -1 : 1
    if (isResting) review()
  }

  function shut(now: boolean): void {
    if (isShut === now) return
    isShut = now
    if (isShut) for (const one of queue.all()) one.settle(errorAnswer('killed', { server: server.id }))
    deps.onChange?.(view())
  }

  function view(): GateView {
    const { state, retryAfterMs } = breaker
    return {
      breaker: state,
      underWay,
      waiting: queue.size,
      busy,
      refused,
      late,
      ...(why !== undefined && { why }),
      ...(retryAfterMs > 0 && { retryAfterMs }),
      ...(isShut && { killed: true }),
    }
  }

  return {
    enter,
    leave,
    rest,
    review,
    mono: () => clock.mono(),
    noteLate: () => void late++,
    shut,
    get isShut() {
      return isShut
    },
    get view() {
      return view()
    },
    get load() {
      return underWay + queue.size
    },
    waitedMs: many => (queue.size < many ? 0 : clock.mono() - queue.since()),
    get isFull() {
      return underWay >= room
    },
    breaker,
  }
}

function endOf(answer: Answer | undefined): CallEnd {
  if (answer === undefined) return 'neither'
  if (answer.code === undefined) return 'good'
  return FAILURES.has(answer.code) ? 'failed' : 'neither'
}
