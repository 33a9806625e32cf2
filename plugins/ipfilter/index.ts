// The ipfilter plugin: lets connections in by their address, before anybody says who he is.
import { definePlugin, deny, type Plugin, pass } from 'mcpgw/plugin'
import { config, type IpfilterConfig } from './config.ts'
import { createFilter } from './filter.ts'

const ipfilter: Plugin<IpfilterConfig> = definePlugin({
  name: 'ipfilter',
  apiVersion: 1,
  config,
  capabilities: [],
  setup({ config: given, metrics }) {
    const refuse = createFilter(given)
    const refused = metrics.counter('refused_total', 'Connections refused by their address')
    return {
      onConnection(peer) {
        const detail = refuse(peer)
        if (detail === undefined) return pass
        refused.inc()
        return deny('forbidden-address', 'address is not allowed', { detail })
      },
    }
  },
})
export default ipfilter
