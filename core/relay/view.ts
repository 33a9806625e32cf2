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
  /** There are other servers from now on. Views that were given before are found again by `seenBy`. */
  change(servers: readonly ServerConfig[]): void
  /** The endpoint of one server; `undefined` where it does not exist or is not enabled. */
  of(server: string): View | undefined
  /** The endpoint of a server that there is not: nobody sees it, so that it answers as one of another tenant does. */
  nowhere(server: string): View
  /** What of an endpoint is there now for callers of this tenant (`undefined`: for nobody in particular); `undefined` where it is not theirs, or not there any more. */
  seenBy(view: View, tenant: string | undefined): View | undefined
}

export function createViews({ servers, names }: Viewed): Views {
  let now = build(servers)

  function build(given: readonly ServerConfig[]) {
    const enabled = given.filter(server => server.enabled)
    return {
      all: viewOf(undefined, enabled, names),
      single: new Map(enabled.map(server => [server.id, viewOf(server.id, [server], 'own')])),
      isScoped: enabled.some(server => server.tenants !== undefined),
      /** By what is seen, of which there are few, and not by tenant, of which there may be many. */
      narrowed: new Map<string, View>(),
    }
  }

  function narrow(tenant: string | undefined): View {
    const { all, narrowed } = now
    const seen = all.servers.filter(server => isFor(server, tenant))
    const view = viewOf(undefined, seen, names)
    const known = narrowed.get(view.key)
    if (known === undefined) narrowed.set(view.key, view)
    return known ?? view
  }

  return {
    get all() {
      return now.all
    },
    get isScoped() {
      return now.isScoped
    },
    change(given) {
      now = build(given)
    },
    of: id => now.single.get(id),
    nowhere: id => viewOf(id, [], 'own'),
    seenBy({ only }, tenant) {
      if (only === undefined) return now.isScoped ? narrow(tenant) : now.all
      const view = now.single.get(only)
      return view !== undefined && isFor(view.servers[0]!, tenant) ? view : undefined
    },
  }
}

/** The endpoint of one server that is not there, or not for this caller. */
export function isNowhere({ only, servers }: View): boolean {
  return only !== undefined && servers.length === 0
}

/** What is shown there is the same. */
export function isSameView(a: View, b: View): boolean {
  return a === b || (a.key === b.key && a.servers.every((server, i) => server === b.servers[i]))
}

function isFor({ tenants }: ServerConfig, tenant: string | undefined): boolean {
  return tenants === undefined || (tenant !== undefined && tenants.includes(tenant))
}

function viewOf(only: string | undefined, servers: readonly ServerConfig[], naming: View['naming']): View {
  return { only, servers, naming, key: JSON.stringify([only ?? null, ...servers.map(({ id }) => id)]) }
}
