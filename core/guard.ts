// Runs one hook of a plugin: within a time limit, never throwing, and knowing which hooks are still out.
import { isPromise } from './awaitable.ts'
import { LiveExchange } from './exchange.ts'
import type { Awaitable, Clock } from './plugin/index.ts'
import { Slots } from './slots.ts'

export interface Site {
  readonly plugin: string
  readonly hook: string
}

/** What a hook did instead of answering. */
export class HookFailure {
  readonly site: Site
  readonly why: 'threw' | 'timed-out' | 'garbage' | 'undeclared'
  /** For the log; may contain anything the plugin said. */
  readonly detail: string
  constructor(site: Site, why: HookFailure['why'], detail: string) {
    this.site = site
    this.why = why
    this.detail = detail
  }
}

export interface PendingHook extends Site {
  /** Of the exchange that it was called for. */
  readonly callId?: string
  /** Milliseconds since the hook was called. */
  readonly for: number
  /** True where nobody waits for it any more. */
  readonly late: boolean
}

export interface Guard {
  /** What the hook answered, or how it failed. A hook that answers at once costs neither promise nor timer. */
  call<A, B>(site: Site, hook: (a: A, b: B) => unknown, a: A, b: B): Awaitable<unknown>
  pending(): readonly PendingHook[]
}

export interface GuardOptions {
  readonly clock: Clock
  /** Milliseconds that a hook may take. */
  readonly limitMs: number
  /** A hook settled after its time: its verdict is lost. */
  readonly onLate?: (late: Site & Pick<PendingHook, 'callId'>, afterMs: number) => void
  /** A hook answered, failed, or was given up: what it took. */
  readonly onCalled?: (site: Site, ms: number) => void
}

interface Waiting {
  readonly site: Site
  readonly callId: string | undefined
  readonly since: number
  readonly give: (failure: HookFailure) => void
  late: boolean
  slot: number
}

export function createGuard({ clock, limitMs, onLate, onCalled }: GuardOptions): Guard {
  // The limit is the same for all: one timer does, for the one that has waited longest.
  const waiting = new Slots<Waiting>()
  const overdue = new Slots<Waiting>()
  let armed = false

  function arm(ms: number): void {
    armed = true
    clock.after(ms, expire)
  }

  function expire(): void {
    armed = false
    const now = clock.mono()
    let next = Number.POSITIVE_INFINITY
    for (const one of waiting.all()) {
      const left = one.since + limitMs - now
      if (left > 0) {
        next = Math.min(next, left)
        continue
      }
      one.late = true
      waiting.remove(one.slot)
      one.slot = overdue.add(one)
      onCalled?.(one.site, now - one.since)
      one.give(new HookFailure(one.site, 'timed-out', `no answer within ${limitMs} ms`))
    }
    if (next < Number.POSITIVE_INFINITY) arm(next)
  }

  function wait(site: Site, promise: Promise<unknown>, since: number, callId: string | undefined): Promise<unknown> {
    return new Promise(resolve => {
      const one: Waiting = { site, callId, since, give: resolve, late: false, slot: 0 }
      const settle = (result: unknown): void => {
        if (!one.late) {
          waiting.remove(one.slot)
          onCalled?.(site, clock.mono() - since)
          return resolve(result)
        }
        overdue.remove(one.slot)
        onLate?.(named(one), clock.mono() - since)
      }
      one.slot = waiting.add(one)
      if (!armed) arm(limitMs)
      // A foreign thenable may throw where a promise would reject.
      Promise.resolve(promise).then(settle, error => settle(threw(site, error)))
    })
  }

  return {
    call(site, hook, a, b) {
      const since = clock.mono()
      let result: unknown
      try {
        result = hook(a, b)
        if (isPromise(result)) return wait(site, result, since, findExchange(a, b)?.id)
      } catch (error) {
        result = threw(site, error)
      }
      onCalled?.(site, clock.mono() - since)
      return result
    },
    pending() {
      const now = clock.mono()
      return [...overdue.all(), ...waiting.all()].map(one => ({ ...named(one), for: now - one.since, late: one.late }))
    },
  }
}

function named({ site, callId }: Waiting): Site & Pick<PendingHook, 'callId'> {
  return callId === undefined ? site : { ...site, callId }
}

/** What a hook is called for: its first argument, or in what stands beside an obligation. */
export function findExchange(a: unknown, b: unknown): LiveExchange | undefined {
  if (a instanceof LiveExchange) return a
  const { exchange } = (b ?? {}) as { readonly exchange?: unknown }
  return exchange instanceof LiveExchange ? exchange : undefined
}

function threw(site: Site, error: unknown): HookFailure {
  return new HookFailure(site, 'threw', describeError(error))
}

/** One line for a log, whatever was thrown. */
export function describeError(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
  } catch {
    return 'something that cannot be shown'
  }
}
