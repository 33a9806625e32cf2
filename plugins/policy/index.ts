// The policy plugin: `.policy` files decide who may do what; what they do not allow is denied.
import { definePlugin, type Plugin } from 'mcpgw/plugin'
import { commands } from './commands.ts'
import { config, type PolicyConfig } from './config.ts'

const policy: Plugin<PolicyConfig> = definePlugin({
  name: 'policy',
  apiVersion: 1,
  config,
  capabilities: ['decides', 'narrows-list'],
  commands,
  setup: async ctx => (await import('./setup.ts')).setUp(ctx),
})
export default policy
