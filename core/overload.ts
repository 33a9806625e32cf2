// Whether the gateway has more to do than it can: then new work is refused at once, and what is under way is finished.
import { getHeapStatistics } from 'node:v8'
import type { OverloadLimits } from './config/schema.ts'
import type { Health } from './health.ts'
import type { Message } from './mcp/message.ts'
import { LISTS } from './mcp/methods.ts'
import type { Log } from './plugin/index.ts'

/** What whoever takes requests asks, once for each: of what comes while there is too much, a share is taken. */
export interface Shedding {
  /** True for a call that is to be refused now. */
  shedsCall(): boolean
  /** By its length as the client gives it: of a long message it is not even read what it is. */
  shedsUnread(length: string | undefined): boolean
  /** True for work that is to be refused now; whatever is cheap, ends work or answers a server goes through. */
  sheds(message: Message): boolean
}

export interface Overload extends Shedding {
  readonly isOver: boolean
  /** Called ten times a second, with how late that call is, and which share of the time since the last one the event loop was at work. */
  look(lagMs: number, busy: number): void
}

export interface OverloadOptions {
  readonly limits: OverloadLimits
  readonly log: Log
  readonly health: Pick<Health, 'component'>
  pending(): number
  /** For how long the oldest call waits for a place, ms, where many do. */
  waitedMs(): number
  /** For tests. */
  heap?(): number
}

/** So many looks in a row are over a bound before it counts: one long answer is no overload. Those that come late are fewer, for they are longer apart. */
const TO_BEGIN = 5
const LATE_TO_BEGIN = 3
/** With fewer calls under way it is not they that make the event loop late, and to refuse more would help nobody. */
export const FEW = 10
/** A loop that rests now and then has time for more: then it is a server for which calls wait, and only those of that server do. */
const NEVER_IDLE = 0.97
/** Below this part of all bounds calls are taken again. */
const WELL_BELOW = 0.8
/** Where calls or the event loop are later than this part of the bound, fewer are; else a tenth more with each look, until all are and it has ended. */
const BUSY = 0.1
const LESS = 0.7
const TO_END = 10
/** Seconds. */
export const OVERLOAD_RETRY = 1
export const NEVER_OVER: Shedding = { shedsCall: () => false, shedsUnread: () => false, sheds: () => false }
/** Bytes. */
const LONG = 64 * 1024

const CHEAP: ReadonlySet<string> = new Set([
  ...LISTS.map(({ method }) => method),
  'initialize',
  'ping',
  'server/discover',
  'logging/setLevel',
  'resources/unsubscribe',
  'tasks/get',
  'tasks/list',
  'tasks/cancel',
])

export function createOverload({ limits, log, health, pending, waitedMs, heap = shareOfHeap }: OverloadOptions): Overload {
  const component = health.component('overload')
  let isOver = false
  let inRow = 0
  /** While there is too much: tenths of the calls that are taken, and what is left of the last one. */
  let taken = 0
  let rest = 0

  const isLate = (lagMs: number, share: number): boolean => lagMs >= limits.lagMs * share && pending() >= FEW
  const isSlow = (busy: number, share: number): boolean => busy >= NEVER_IDLE && waitedMs() >= limits.lagMs * share

  /** Undefined where all is below `share` of its bound. */
  function findExcess(lagMs: number, busy: number, share: number): string | undefined {
    if (isLate(lagMs, share)) return `the event loop is ${Math.round(lagMs)} ms late`
    if (isSlow(busy, share)) return `calls wait ${Math.round(waitedMs())} ms, and the event loop is never idle`
    const used = heap()
    if (used >= limits.heap * share) return `${Math.round(used * 100)} % of the heap is used`
    const calls = pending()
    return calls >= limits.pending * share ? `${calls} calls are under way or wait` : undefined
  }

  function change(why: string | undefined): void {
    isOver = why !== undefined
    inRow = 0
    taken = 0
    component.set(why === undefined ? undefined : { status: 'failing', why: `new calls are refused: ${why}` })
    if (why === undefined) log.info('no longer overloaded')
    else log.warn('overloaded: new calls are refused', { why })
  }

  /** The calls that are taken are spread evenly among those that come. */
  function shedsCall(): boolean {
    if (!isOver) return false
    rest += taken
    if (rest < TO_END) return true
    rest -= TO_END
    return false
  }

  return {
    get isOver() {
      return isOver
    },
    shedsCall,
    shedsUnread: length => isOver && !(Number(length) <= LONG),
    sheds(message) {
      if (!isOver) return false
      if (message.kind === 'batch') return message.items.some(item => (item.string('method') ?? 'ping') !== 'ping') && shedsCall()
      return message.kind === 'request' && !CHEAP.has(message.method) && shedsCall()
    },
    look(lagMs, busy) {
      const excess = findExcess(lagMs, busy, isOver ? WELL_BELOW : 1)
      if (!isOver) {
        inRow = excess === undefined ? 0 : inRow + 1
        if (inRow >= (isLate(lagMs, 1) ? LATE_TO_BEGIN : TO_BEGIN)) change(excess)
      } else if (excess !== undefined) taken = 0
      else if (isLate(lagMs, BUSY) || isSlow(busy, BUSY)) taken *= LESS
      else if (taken + 1 < TO_END) taken++
      else change(undefined)
    },
  }
}

function shareOfHeap(): number {
  const { used_heap_size: used, heap_size_limit: most } = getHeapStatistics()
  return used / most
}
