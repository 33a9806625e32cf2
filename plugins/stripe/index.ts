// The stripe plugin: bills what tenants have used through Stripe's billing meters, each call once, without ever being in the way of a call.
import { definePlugin, type Plugin, Usage } from 'mcpgw/plugin'
import { commands } from './commands.ts'
import { config, type StripeConfig } from './config.ts'
import { tables } from './store/migrations.ts'

const stripe: Plugin<StripeConfig> = definePlugin({
  name: 'stripe',
  apiVersion: 1,
  config,
  capabilities: [],
  requires: [Usage],
  commands,
  tables,
  setup: async ctx => (await import('./setup.ts')).setUp(ctx),
})
export default stripe
