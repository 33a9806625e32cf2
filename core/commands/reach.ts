// Whom a gateway may serve: beyond this machine only what somebody configured, where callers are proven and what policies deny is denied.
import type { Loaded } from '../config/load.ts'
import type { GatewayConfig, PluginEntry, ServerVersion } from '../config/schema.ts'
import type { Finding } from '../finding.ts'
import { findMisfits } from '../kernel.ts'
import { isLoopback, mayListen } from '../order.ts'
import type { GatewayFacts } from '../plugin/index.ts'

type FactsSource = Pick<GatewayConfig, 'listen'> & { readonly servers: readonly { readonly id: string }[] }

/** What plugins may know of the rest of the config. */
export function factsOf({ servers, listen }: FactsSource): GatewayFacts {
  const { clientCertificates = 'none' } = listen.tls ?? {}
  return Object.freeze({ servers: Object.freeze(servers.map(({ id }) => id)), asksForCertificates: clientCertificates !== 'none' })
}

/** The first that keeps plugins from a gateway with servers of these ids. */
export function misfitOf(
  plugins: Parameters<typeof findMisfits>[0],
  config: Pick<GatewayConfig, 'listen'>,
  ids: readonly string[],
): string | undefined {
  return findMisfits(plugins, factsOf({ ...config, servers: ids.map(id => ({ id })) }))[0]?.message
}

/** A server, or a version, for some principals, where nobody could ever be one. */
export function findUnreachable(
  { servers }: Pick<GatewayConfig, 'servers'>,
  plugins: Parameters<typeof mayListen>[1],
): Finding | undefined {
  if (plugins.some(({ capabilities }) => capabilities.has('authenticates'))) return undefined
  const refuse = (what: string, at: string, path: Finding['path']): Finding => ({
    code: 'server-unreachable',
    message: `"${what}" of the server ${at} lets in nobody: no loaded plugin authenticates`,
    help: `load one that does (auth), or leave "${what}" out`,
    ...(path && { path }),
  })
  for (const [at, server] of servers.entries()) {
    if (server.tenants !== undefined) return refuse('tenants', server.id, ['servers', at, 'tenants'])
    const pinned = server.kind === 'versioned' ? server.versions.findIndex(hasPins) : -1
    if (pinned >= 0) return refuse('pins', server.id, ['servers', at, 'versions', pinned, 'pins'])
  }
  return undefined
}

function hasPins({ pins }: ServerVersion): boolean {
  return Object.values(pins).some(names => names.length > 0)
}

/** Arguments and results for traces, where nothing would mask them. */
export function findUnmasked({ telemetry }: Pick<GatewayConfig, 'telemetry'>, isMasked: boolean): Finding | undefined {
  if (telemetry?.content !== true || isMasked) return undefined
  return {
    code: 'telemetry-unmasked',
    message: '"content" shows arguments and results, and no loaded plugin masks them',
    help: 'load one that does (redact), or leave "content" out',
    path: ['telemetry', 'content'],
  }
}

export function mayReach({ config, isStarter }: Loaded, plugins: Parameters<typeof mayListen>[1]): Finding | undefined {
  const { host } = config.listen
  if (isLoopback(host)) return undefined
  const refuse = (why: string, help: string): Finding => ({
    code: 'listen-open',
    message: `${JSON.stringify(host)} is not a loopback address, and ${why}`,
    help,
  })
  if (isStarter === true) return refuse('there is no config: the demo is for this machine', 'mcpgw init writes a config')
  const refused = mayListen(host, plugins)
  if (refused !== undefined) return refused
  return config.plugins.some(isObserving)
    ? refuse('policies are only observed: nothing is denied', 'listen on 127.0.0.1 while you observe, or enforce the policies')
    : undefined
}

/** Its policies are decided and reported, and deny nothing. */
export function isObserving({ name, config }: PluginEntry): boolean {
  return name === 'policy' && typeof config === 'object' && config !== null && 'mode' in config && config.mode === 'observe'
}
