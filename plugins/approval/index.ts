// The approval plugin: carries out the `approval` of policies. A call waits until those have agreed whom the policy names.
import { definePlugin, type Plugin } from 'mcpgw/plugin'
import { commands } from './commands.ts'
import { type ApprovalConfig, config } from './config.ts'
import { tables } from './store/migrations.ts'

const approval: Plugin<ApprovalConfig> = definePlugin({
  name: 'approval',
  apiVersion: 1,
  config,
  capabilities: [],
  discharges: ['approval'],
  commands,
  tables,
  personal: async () => (await import('./personal.ts')).personal,
  setup: async ctx => (await import('./setup.ts')).setUp(ctx),
})
export default approval
