// Puts the plugin together. It has no hook for calls: it reads what was used, and bills it beside everything else.
import { type Hooks, type PluginContext, Usage } from 'mcpgw/plugin'
import type { StripeConfig } from './config.ts'
import { stripeOperations } from './operations.ts'
import { createReporter } from './report.ts'
import { openOutbox } from './store/open.ts'
import { createWorker } from './worker.ts'

export function setUp(ctx: PluginContext<StripeConfig>): Hooks {
  const { config, clock, log, stores } = ctx
  // A known secret is removed from every text; what is still there afterwards came from somewhere else.
  if (config.apiKey !== undefined && ctx.scrub(config.apiKey) === config.apiKey)
    log.warn('apiKey stands in the config or in a variable; as ${secret:NAME} nobody would see it')
  if (config.dryRun) log.warn('dryRun: what would be billed is accounted for, and nothing is sent')
  const report = createReporter(ctx)
  const worker = createWorker({
    config,
    clock,
    log,
    outbox: openOutbox(stores, config),
    usage: ctx.use(Usage),
    connect: async () => (await import('./client.ts')).createClient({ config }),
    report,
  })
  const operations = stripeOperations(ctx, report)
  for (const operation of operations.list) ctx.offer(operation)
  ctx.onStop(async () => {
    await operations.close()
    await worker.stop()
  })
  return { start: () => worker.start() }
}
