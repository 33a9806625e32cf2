// The meter plugin: counts what everybody uses, from the durable record and so exactly once, prices it, and holds budgets.
import { definePlugin, Outcomes, type Plugin, Usage } from 'mcpgw/plugin'
import { commands } from './commands.ts'
import { config, type MeterConfig } from './config.ts'
import { tables } from './store/migrations.ts'

const meter: Plugin<MeterConfig> = definePlugin({
  name: 'meter',
  apiVersion: 1,
  config,
  capabilities: [],
  provides: [Usage],
  requires: [Outcomes],
  commands,
  tables,
  personal: async () => (await import('./personal.ts')).personal,
  readThrough: async io => (await import('./read-through.ts')).readThrough(io),
  setup: async ctx => (await import('./setup.ts')).setUp(ctx),
})
export default meter
