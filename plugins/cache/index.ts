// The cache plugin: keeps answers of what only reads, for those who may see the same, and gives them again without asking the server.
import { definePlugin, type Plugin } from 'mcpgw/plugin'
import { type CacheConfig, config } from './config.ts'
import { createHooks } from './hooks.ts'
import { personal } from './personal.ts'

const cache: Plugin<CacheConfig> = definePlugin({
  name: 'cache',
  apiVersion: 1,
  config,
  capabilities: ['answers'],
  personal: () => personal,
  setup: createHooks,
})
export default cache
