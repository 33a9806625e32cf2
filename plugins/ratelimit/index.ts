// The ratelimit plugin: carries out the `limit` of policies, and holds every principal to so many requests a minute.
import { definePlugin, type Plugin } from 'mcpgw/plugin'
import { config, type RatelimitConfig } from './config.ts'
import { createHooks } from './hooks.ts'

const ratelimit: Plugin<RatelimitConfig> = definePlugin({
  name: 'ratelimit',
  apiVersion: 1,
  config,
  capabilities: [],
  discharges: ['limit', 'rate'],
  setup: createHooks,
})
export default ratelimit
