// The policy plugin: `.policy` files decide who may do what; what they do not allow is denied.
import { DecisionBasis, definePlugin, type Plugin, type StandardSchemaV1 } from 'mcpgw/plugin'
import { commands } from './commands.ts'
import type { PolicyConfig } from './config.ts'

// zod takes longer to load than a policy file to be checked: it comes with the first config.
const config: StandardSchemaV1<unknown, PolicyConfig> = {
  '~standard': { version: 1, vendor: 'zod', validate: async value => (await import('./config.ts')).config['~standard'].validate(value) },
}

const policy: Plugin<PolicyConfig> = definePlugin({
  name: 'policy',
  apiVersion: 1,
  config,
  capabilities: ['decides', 'narrows-list'],
  provides: [DecisionBasis],
  commands,
  personal: async () => (await import('./personal.ts')).personal,
  explains: async () => (await import('./codes.ts')).readCodes(),
  setup: async ctx => (await import('./setup.ts')).setUp(ctx),
})
export default policy
