// What each caller has done, as far as a rule asks `after` it: the last time of each event, counted from the seal.
import type { Clock, Principal } from 'mcpgw/plugin'
import type { EventMatcher, History } from 'mcpgw/policy'

/** Where the last times are kept beyond this process. */
export interface PastStore {
  /** Those not before `since`. */
  load(since: number): Iterable<PastEvent>
  /** Rejects where it is not known to be kept. An `at` of 0: it has not happened. */
  save(events: readonly PastEvent[]): Promise<void>
  /** After a rejection. */
  recover(): Promise<void>
  prune(before: number): Promise<void>
  close(): Promise<void>
}
export interface PastEvent {
  readonly tenant: string
  readonly id: string
  /** The event as a rule writes it. */
  readonly event: string
  readonly at: number
}

/** What one exchange has added, to be taken back should it be denied after all. */
export type Added = readonly { readonly event: string; readonly at: number; readonly before: number }[]

export interface Keeper {
  of(principal: Principal): Past
  /** Events that rules ask for from now on, and for how long. */
  watch(events: readonly EventMatcher[], withinMs: number): void
  /** In one step, without waiting: what comes after finds it. Undefined where no rule asks for it. `kept`: false where it is not known to be stored. */
  add(past: Past, action: EventMatcher['action'], server: string, name: string): { added: Added; kept: Promise<boolean> } | undefined
  takeBack(past: Past, added: Added): void
  close(): Promise<void>
}

export interface KeeperOptions {
  readonly clock: Clock
  readonly store: PastStore
  /** Undefined: the store works again. */
  onHealth(failing: string | undefined): void
}

const PRUNE_MS = 60_000
/** A store that failed is asked again so soon: what rules then deny would never ask it. */
const RETRY_MS = 1_000
/** Calls that are under way look back from their arrival. */
const SLACK_MS = 3_600_000

export class Past implements History {
  readonly tenant: string
  readonly id: string
  readonly last: Map<string, number> = new Map()
  /** Grows with every event. */
  version = 0
  /** Asked for last. */
  touched = 0
  readonly #isKnown: () => boolean

  constructor(tenant: string, id: string, isKnown: () => boolean) {
    this.tenant = tenant
    this.id = id
    this.#isKnown = isKnown
  }

  lastMatch({ text }: EventMatcher, since: number): number | undefined {
    const at = this.last.get(text)
    if (at !== undefined && at >= since) return at
    if (!this.#isKnown()) throw new Error('the store of what was done before does not work')
    return undefined
  }
}

export function createKeeper({ clock, store, onHealth }: KeeperOptions): Keeper {
  const all = new Map<string, Past>()
  let watched: readonly EventMatcher[] = []
  let within = 0
  let failing = false
  let cancelRetry = (): void => {}
  const unsaved = new Map<string, PastEvent>()

  const isKnown = (): boolean => !failing
  const pastOf = (tenant: string, id: string): Past => {
    const key = JSON.stringify([tenant, id])
    let past = all.get(key)
    if (past === undefined) {
      past = new Past(tenant, id, isKnown)
      all.set(key, past)
    }
    past.touched = clock.now()
    return past
  }
  for (const { tenant, id, event, at } of store.load(0)) pastOf(tenant, id).last.set(event, at)

  async function save(events: readonly PastEvent[]): Promise<boolean> {
    for (const event of events) unsaved.set(JSON.stringify([event.tenant, event.id, event.event]), event)
    const rows = failing ? [...unsaved.values()] : events
    try {
      if (failing) await store.recover()
      await store.save(rows)
      for (const row of rows) {
        const key = JSON.stringify([row.tenant, row.id, row.event])
        if (unsaved.get(key) === row) unsaved.delete(key)
      }
      if (failing && unsaved.size === 0) {
        failing = false
        cancelRetry()
        onHealth(undefined)
      }
      return true
    } catch (error) {
      failing = true
      cancelRetry()
      cancelRetry = clock.after(RETRY_MS, () => void save([]))
      onHealth(`what callers have done cannot be stored: ${error instanceof Error ? error.message : String(error)}`)
      return false
    }
  }

  async function prune(): Promise<void> {
    const now = clock.now()
    const before = now - within - SLACK_MS
    for (const [key, past] of all) {
      for (const [event, at] of past.last) if (at < before) past.last.delete(event)
      if (past.last.size === 0 && past.touched < now - SLACK_MS) all.delete(key)
    }
    if (!failing) await store.prune(before).catch(() => undefined)
  }

  let cancel = clock.after(PRUNE_MS, tick)
  function tick(): void {
    void prune()
    cancel = clock.after(PRUNE_MS, tick)
  }

  return {
    of: ({ tenant, id }) => pastOf(tenant, id),
    watch(events, withinMs) {
      watched = events
      within = withinMs
    },
    add(past, action, server, name) {
      const found = watched.filter(one => one.action === action && one.matches(server, name))
      if (found.length === 0) return undefined
      const now = clock.now()
      const { tenant, id } = past
      // Invariant: no two have one time, so that taking one back takes no other with it.
      const added = found.map(({ text: event }) => {
        const before = past.last.get(event) ?? 0
        return { event, at: Math.max(now, before + 1), before }
      })
      for (const { event, at } of added) past.last.set(event, at)
      past.version += 1
      return { added, kept: save(added.map(({ event, at }) => ({ tenant, id, event, at }))) }
    },
    takeBack(past, added) {
      const { tenant, id } = past
      const mine = added.filter(({ event, at }) => past.last.get(event) === at)
      for (const { event, before } of mine) {
        if (before === 0) past.last.delete(event)
        else past.last.set(event, before)
      }
      past.version += 1
      void save(mine.map(({ event, before }) => ({ tenant, id, event, at: before })))
    },
    async close() {
      cancel()
      if (failing) await save([])
      cancelRetry()
      await store.close()
    },
  }
}
