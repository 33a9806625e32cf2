// The redact plugin: personal data and secrets are masked in whatever passes, in both directions, and for log and record.
import { Detectors, definePlugin, Masking, type Plugin } from 'mcpgw/plugin'
import { config, type RedactConfig } from './config.ts'
import { createHooks } from './hooks.ts'

const redact: Plugin<RedactConfig> = definePlugin({
  name: 'redact',
  apiVersion: 1,
  config,
  capabilities: ['masks'],
  provides: [Masking, Detectors],
  discharges: ['redact'],
  setup: createHooks,
})
export default redact
