// Puts the plugin together: the bundle is loaded before anything is served.
import { deny, type Hooks, narrow, type PluginContext, pass } from 'mcpgw/plugin'
import type { PolicyConfig } from './config.ts'

export async function setUp(ctx: PluginContext<PolicyConfig>): Promise<Hooks> {
  ctx.health({ status: 'degraded', why: 'there are no policy files: everything is denied' })
  return {
    onRequest: ({ resource }) => (resource.kind === 'plumbing' || resource.kind === 'list' ? pass : deny('denied', 'denied')),
    onList: (_, items) => narrow(items.map(() => false)),
  }
}
