// Puts the plugin together: the store, what calls and callers ask of it, and what is forgotten.
import type { Hooks, PluginContext } from 'mcpgw/plugin'
import type { ApprovalConfig } from './config.ts'
import { createHooks } from './hooks.ts'
import { approvalOperations } from './operations.ts'
import { openApprovals } from './store/open.ts'

const DAY_MS = 86_400_000
const FORGET_EVERY_MS = 3_600_000

export async function setUp(ctx: PluginContext<ApprovalConfig>): Promise<Hooks> {
  const { clock, config, log } = ctx
  const store = await openApprovals(ctx.stores, config)
  let cancel = (): void => {}
  let isStopped = false
  ctx.onStop(async () => {
    isStopped = true
    cancel()
    await store.close()
  })
  for (const operation of approvalOperations(ctx, store)) ctx.offer(operation)

  async function forget(): Promise<void> {
    await store
      .forget(clock.now() - config.keep * DAY_MS)
      .catch(error => isStopped || log.warn('old requests for approval could not be removed', { error: String(error) }))
    if (!isStopped) cancel = clock.after(FORGET_EVERY_MS, () => void forget())
  }
  return { ...createHooks(ctx, store), start: forget }
}
