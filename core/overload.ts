// Whether the gateway has more to do than it can: then new work is refused at once, and what is under way is finished.
import { getHeapStatistics } from 'node:v8'
import type { OverloadLimits } from './config/schema.ts'
import type { Health } from './health.ts'
import type { Message } from './mcp/message.ts'
import { LISTS } from './mcp/methods.ts'
import type { Log } from './plugin/index.ts'

/** What whoever takes requests asks. */
export interface Shedding {
  readonly isOver: boolean
  /** By its length as the client gives it: of a long message it is not even read what it is. */
  shedsUnread(length: string | undefined): boolean
  /** True for work that is to be refused now; whatever is cheap, ends work or answers a server goes through. */
  sheds(message: Message): boolean
}

export interface Overload extends Shedding {
  /** Called ten times a second, with how late that call is. */
  look(lagMs: number): void
}

export interface OverloadOptions {
  readonly limits: OverloadLimits
  readonly log: Log
  readonly health: Pick<Health, 'component'>
  pending(): number
  /** For tests. */
  heap?(): number
}

/** So many looks in a row are over a bound before it counts: one long answer is no overload. */
const TO_BEGIN = 5
/** So many in a row are well below all bounds before it ends, so that it does not come and go. */
const TO_END = 10
const WELL_BELOW = 0.8
/** Seconds. */
export const OVERLOAD_RETRY = 1
export const NEVER_OVER: Shedding = { isOver: false, shedsUnread: () => false, sheds: () => false }
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

export function createOverload({ limits, log, health, pending, heap = shareOfHeap }: OverloadOptions): Overload {
  const component = health.component('overload')
  let isOver = false
  let inRow = 0

  /** Undefined where all is below `share` of its bound. */
  function findExcess(lagMs: number, share: number): string | undefined {
    if (lagMs >= limits.lagMs * share) return `the event loop is ${Math.round(lagMs)} ms late`
    const used = heap()
    if (used >= limits.heap * share) return `${Math.round(used * 100)} % of the heap is used`
    const calls = pending()
    return calls >= limits.pending * share ? `${calls} calls are under way or wait` : undefined
  }

  function change(why: string | undefined): void {
    isOver = why !== undefined
    inRow = 0
    component.set(why === undefined ? undefined : { status: 'failing', why: `new calls are refused: ${why}` })
    if (why === undefined) log.info('no longer overloaded')
    else log.warn('overloaded: new calls are refused', { why })
  }

  return {
    get isOver() {
      return isOver
    },
    shedsUnread: length => isOver && !(Number(length) <= LONG),
    sheds(message) {
      if (!isOver) return false
      if (message.kind === 'batch') return message.items.some(item => (item.string('method') ?? 'ping') !== 'ping')
      return message.kind === 'request' && !CHEAP.has(message.method)
    },
    look(lagMs) {
      const excess = findExcess(lagMs, isOver ? WELL_BELOW : 1)
      inRow = (excess === undefined) === isOver ? inRow + 1 : 0
      if (!isOver && inRow >= TO_BEGIN) change(excess)
      else if (isOver && inRow >= TO_END) change(undefined)
    },
  }
}

function shareOfHeap(): number {
  const { used_heap_size: used, heap_size_limit: most } = getHeapStatistics()
  return used / most
}
