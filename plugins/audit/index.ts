// The audit plugin: a hash-chained record of every call and refusal, durable before the effect and before the reply.
import { definePlugin, Outcomes, type Plugin, Recording } from 'mcpgw/plugin'
import { commands } from './commands.ts'
import { type AuditConfig, config } from './config.ts'
import { tables } from './store/migrations.ts'

const audit: Plugin<AuditConfig> = definePlugin({
  name: 'audit',
  apiVersion: 1,
  config,
  capabilities: ['records'],
  provides: [Recording, Outcomes],
  discharges: ['log'],
  commands,
  tables,
  setup: async ctx => (await import('./setup.ts')).setUp(ctx),
})
export default audit
