// What one endpoint shows: all servers under qualified names, or one server under its own; of these, what is there for the caller's tenant.
import type { GatewayConfig, ServerConfig } from '../config/schema.ts'

/** What endpoints are made of. */
export interface Viewed {
  readonly servers: readonly ServerConfig[]
  readonly names: GatewayConfig['names']
}

export interface View {
  /** `undefined` for the aggregated endpoint. */
  readonly only: string | undefined
  readonly servers: readonly ServerConfig[]
  /** How names are made: as the server has them, qualified, or bare where unique. */
  readonly naming: 'own' | 'qualified' | 'bare'
  /** Equal keys, equal views. */
  readonly key: string
}

export interface Views {
  readonly all: View
  /** Some server is not for every tenant: what one caller is shown is no answer for another. */
  readonly isScoped: boolean
  /** The endpoint of one server; `undefined` where it does not exist or is not enabled. */
  of(server: string): View | undefined
  /** The endpoint of a server that there is not: nobody sees it, so that it answers as one of another tenant does. */
  nowhere(server: string): View
  /** What of an endpoint is there for callers of this tenant (`undefined`: for nobody in particular); `undefined` where it is not theirs. */
  seenBy(view: View, tenant: string | undefined): View | undefined
}

export function createViews(config: Viewed): Views {
  const servers = config.servers.filter(server => server.enabled)
  const all = viewOf(undefined, servers, config.names)
  const single = new Map(servers.map(server => [server.id, viewOf(server.id, [server], 'own')]))
  const isScoped = servers.some(server => server.tenants !== undefined)
  /** By what is seen, of which there are few, and not by tenant, of which there may be many. */
  const narrowed = new Map<string, View>()

  function narrow(tenant: string | undefined): View {
    const seen = servers.filter(server => isFor(server, tenant))
    const view = viewOf(undefined, seen, config.names)
    const known = narrowed.get(view.key)
    if (known === undefined) narrowed.set(view.key, view)
    return known ?? view
  }

  return {
    all,
    isScoped,
    of: id => single.get(id),
    nowhere: id => viewOf(id, [], 'own'),
    seenBy(view, tenant) {
      if (view.only === undefined) return isScoped ? narrow(tenant) : all
      const [server] = view.servers
      return server !== undefined && isFor(server, tenant) ? view : undefined
    },
  }
}

function isFor({ tenants }: ServerConfig, tenant: string | undefined): boolean {
  return tenants === undefined || (tenant !== undefined && tenants.includes(tenant))
}

function viewOf(only: string | undefined, servers: readonly ServerConfig[], naming: View['naming']): View {
  return { only, servers, naming, key: JSON.stringify([only ?? null, ...servers.map(({ id }) => id)]) }
}
