// Puts the plugin together: outcomes come in from the record, usage goes out to the store, and budgets are held against both.
import { createConditions, type Hooks, Outcomes, type PluginContext, Usage } from 'mcpgw/plugin'
import type { MeterConfig } from './config.ts'
import { createCounter } from './counter.ts'
import { enforceBudgets } from './enforcement.ts'
import { createForgetting } from './forgetting.ts'
import { usageOperations } from './operations.ts'
import { createPrices } from './prices.ts'
import { openUsage } from './store/open.ts'
import { tally } from './tally.ts'

// How long a start waits for what an earlier run left uncounted; the rest is counted while calls go on.
const CATCH_UP_MS = 5000

export async function setUp(ctx: PluginContext<MeterConfig>): Promise<Hooks> {
  const { config, clock, log } = ctx
  const outcomes = ctx.use(Outcomes)
  const store = await openUsage(ctx.stores, config, 'write')
  const tell = createConditions(state => ctx.health(state))
  const counted = ctx.metrics.counter('outcomes_total', 'Ends of calls that were counted, by how they ended.', ['outcome'])
  const prices = createPrices(config)
  const counter = createCounter({
    outcomes,
    store,
    clock,
    log,
    tally: some => tally(some, { window: config.window, prices }),
    onCounted(some) {
      for (const { outcome } of some) counted.inc({ outcome })
    },
    onHealth: why => tell('counting', why && `usage is not counted now, and will be from the audit log: ${why}`),
    onLost: tellLost,
  })
  const budgets =
    config.budgets.length === 0
      ? undefined
      : enforceBudgets({ ctx, outcomes, store, counter, prices, onHealth: why => tell('budgets', why) })
  let lost = 0

  function tellLost(records: number): void {
    lost += records
    log.error('records went from the audit log before they were counted', { records })
    tell('lost', `${lost} records went from the audit log before they were counted; see mcpgw usage --reconcile`)
  }

  const forgetting = createForgetting({ store, keep: config.keep, clock, log, onHeld: why => tell('forgetting', why) })
  ctx.provide(Usage, { changes: (cursor, endedBy, signal) => store.changes(cursor, endedBy, signal), hold: forgetting.hold })
  const operations = usageOperations(ctx, outcomes, () => counter.flush())
  for (const operation of operations.list) ctx.offer(operation)
  ctx.onStop(async () => {
    await operations.close()
    forgetting.stop()
    budgets?.stop()
    await counter.stop()
    await store.close()
  })

  return {
    ...budgets?.hooks,
    async start() {
      const before = (await store.counted()).lost
      if (before.length > 0) tellLost(before.reduce((sum, { first, last }) => sum + last - first + 1, 0))
      let cancel: (() => void) | undefined
      const late = new Promise<void>(resolve => {
        cancel = clock.after(CATCH_UP_MS, resolve)
      })
      const caughtUp = counter.flush().then(() => budgets?.load())
      // Where it takes longer, the refresh tries again.
      caughtUp.catch(() => {})
      await Promise.race([caughtUp, late])
      cancel?.()
      counter.start()
      budgets?.start()
      forgetting.start()
    },
  }
}
