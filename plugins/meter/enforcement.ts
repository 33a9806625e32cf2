// Budgets at the gate: a call is let in where each of its budgets has room, and counts in them until the store has it.
import { deny, type Exchange, type Hooks, nameOf, type Outcome, type Outcomes, type PluginContext, pass } from 'mcpgw/plugin'
import { createBudgets, type Reservation, type Used } from './budgets.ts'
import type { MeterConfig } from './config.ts'
import type { Counter } from './counter.ts'
import { completed, kindOf } from './outcome-kinds.ts'
import type { Period } from './periods.ts'
import type { Prices } from './prices.ts'
import { spanOf, type UsageStore } from './store/usage-store.ts'

export interface EnforcementOptions {
  readonly ctx: PluginContext<MeterConfig>
  readonly outcomes: Outcomes
  readonly store: UsageStore
  readonly counter: Counter
  readonly prices: Prices
  readonly onHealth: (why: string | undefined) => void
}

export interface Enforcement {
  readonly hooks: Required<Pick<Hooks, 'onRequest' | 'onSettled'>>
  /** Takes over what the store has; rejects where it cannot be read. */
  load(): Promise<void>
  /** Keeps up with what other gateways count. */
  start(): void
  stop(): void
}

const REFRESH_MS = 10_000
const ATTEMPTS = 5

export function enforceBudgets({ ctx, outcomes, store, counter, prices, onHealth }: EnforcementOptions): Enforcement {
  const { clock, log, config } = ctx
  const denied = ctx.metrics.counter('denied_total', 'Calls refused because a budget is used up, by whose it is.', ['by'])
  const budgets = createBudgets(config.budgets, text => log.warn('a budget is nearly used up', { budget: text }))
  const reservations = new WeakMap<Exchange, Reservation>()
  let loadedFor = ''
  let isLoading = false
  let cancel: (() => void) | undefined

  function tellHealth(): void {
    const { warned, exhausted } = budgets.standing()
    const parts = [
      ...(exhausted > 0 ? [`${exhausted} used up`] : []),
      ...(warned > exhausted ? [`${warned - exhausted} nearly used up`] : []),
    ]
    onHealth(parts.length === 0 ? undefined : `budgets: ${parts.join(', ')}; the log names them`)
  }

  outcomes.listen(page => {
    for (const outcome of page.outcomes) {
      const { seq, callId: call, at, outcome: end, revises } = outcome
      // A correction is of a call that is recorded already.
      if (revises !== undefined) continue
      budgets.record({ seq, call, at, isCall: completed.includes(kindOf(end)), units: () => Number(prices.of(outcome)) })
    }
  })

  /** What is told in the record meanwhile is kept apart, so that it is known of each call whether the store has it. */
  async function load(): Promise<void> {
    if (isLoading) return
    isLoading = true
    try {
      // Before the flush: what was told until now is counted by it.
      const told = budgets.begin()
      await counter.flushThen(async () => {
        const periods = budgets.periods(clock.now())
        const { used, through } = await readAtOnce(periods)
        // Another gateway counts our stream, and has not come so far: the next time will do.
        if (through === undefined || through < told) return
        budgets.load(
          periods.map((period, at) => ({ period, used: used[at]! })),
          through,
        )
        loadedFor = JSON.stringify(periods)
        tellHealth()
      })
    } finally {
      isLoading = false
    }
  }

  /** `through`: the last record of our stream that the sums have; undefined where others moved it all the time. */
  async function readAtOnce(periods: readonly Period[]): Promise<{ readonly used: Used[][]; readonly through: number | undefined }> {
    const readThrough = async (): Promise<number> => (await store.counted()).through.get(outcomes.stream) ?? 0
    let before = await readThrough()
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const used = await Promise.all(periods.map(({ from, to }) => readUsed(from, to)))
      const through = await readThrough()
      if (through === before) return { used, through }
      before = through
    }
    return { used: [], through: undefined }
  }

  async function readUsed(from: number, to: number): Promise<Used[]> {
    const sums = await store.sum({ span: spanOf({ from, to }, []), from, to, by: ['tenant', 'subject'] })
    const names = await outcomes.whoIs(sums.map(({ subject }) => subject ?? ''))
    return sums.map(({ tenant = '', subject = '', ends, milliUnits }) => ({
      tenant,
      // Who was forgotten has no budget of his own any more; that of his tenant stays.
      id: names.get(subject)?.id ?? '',
      calls: completed.reduce((sum, kind) => sum + ends[kind], 0),
      units: Number(milliUnits),
    }))
  }

  const tryToLoad = (): void =>
    void load().catch((error: unknown) =>
      log.warn('budgets go by what this gateway counted; the store cannot be read', { why: String(error) }),
    )

  function refresh(): void {
    cancel = clock.after(REFRESH_MS, () => {
      if (store.isShared || JSON.stringify(budgets.periods(clock.now())) !== loadedFor) tryToLoad()
      refresh()
    })
  }

  return {
    load,
    start: refresh,
    stop: () => cancel?.(),
    hooks: {
      onRequest(x) {
        const { resource } = x
        if (x.direction !== 'to-server' || !('server' in resource)) return pass
        const call = { action: x.action, tenant: x.principal?.tenant, server: resource.server, target: nameOf(resource) }
        const now = clock.now()
        const got = budgets.reserve(x.id, { tenant: x.principal?.tenant ?? '', id: x.principal?.id ?? '' }, Number(prices.least(call)), now)
        if ('parts' in got) {
          reservations.set(x, got)
          return pass
        }
        denied.inc({ by: got.by })
        tellHealth()
        return deny('budget-exceeded', 'the budget is used up', { detail: got.text, retryAfter: Math.max(1, Math.ceil(got.waitMs / 1000)) })
      },
      onSettled(x, outcome) {
        const own = reservations.get(x)
        if (own === undefined) return
        reservations.delete(x)
        budgets.settle(own, used(x, outcome))
      },
    },
  }

  /** Nothing where it was no call after all. Sizes and times are near to what the record will say, which takes their place. */
  function used(x: Exchange, outcome: Outcome): number | undefined {
    if (outcome.kind === 'denied' || (outcome.kind === 'answered' && outcome.isInputRequired === true) || !('server' in x.resource))
      return undefined
    const answer = outcome.kind === 'cancelled' ? undefined : outcome.answer
    return Number(
      prices.of({
        action: x.action,
        tenant: x.principal?.tenant,
        server: x.resource.server,
        target: nameOf(x.resource),
        outcome: endOf(outcome),
        requestBytes: x.sentArgs.bytes.length,
        resultBytes: answer?.payload.bytes.length,
        upstreamMs: clock.mono() - x.mono,
      }),
    )
  }
}

function endOf(outcome: Exclude<Outcome, { kind: 'denied' }>): string {
  if (outcome.kind === 'cancelled') return 'cancelled'
  if (outcome.kind === 'answered') return outcome.isToolError ? 'tool-error' : 'answered'
  return outcome.cause === 'internal' ? 'upstream-error' : outcome.cause
}
