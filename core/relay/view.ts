// What one endpoint shows: all servers under qualified names, or one server under its own; of these, what is there for the caller.
import { versionName, versionsOf } from '../config/places.ts'
import type { GatewayConfig, ListedServer, ServerConfig } from '../config/schema.ts'
import { assign, type Viewer } from './assignment.ts'

/** What endpoints are made of. */
export interface Viewed {
  readonly servers: readonly ListedServer[]
  readonly names: GatewayConfig['names']
  /** An operator has taken this version out. */
  isOut?(server: ServerConfig): boolean
}

export interface View {
  /** `undefined` for the aggregated endpoint. */
  readonly only: string | undefined
  /** Of each the version that is shown; of an endpoint as nobody has seen it yet, all. */
  readonly servers: readonly ServerConfig[]
  /** How names are made: as the server has them, qualified, or bare where unique. */
  readonly naming: 'own' | 'qualified' | 'bare'
  /** Equal keys, equal views. */
  readonly key: string
  /** Of the servers with versions, which these are: equal for whoever has the same. */
  readonly versions: string
}

export interface Views {
  readonly all: View
  /** Some server is not for every tenant, or not the same for all: what one caller is shown is no answer for another. */
  readonly isScoped: boolean
  /** There are other servers from now on. Views that were given before are found again by `seenBy`. */
  change(servers: readonly ListedServer[]): void
  /** Versions are taken out, or are there again. */
  review(): void
  /** The endpoint of one server; `undefined` where it does not exist or is not enabled. */
  of(server: string): View | undefined
  /** The endpoint of a server that there is not: nobody sees it, so that it answers as one of another tenant does. */
  nowhere(server: string): View
  /**
   * What of an endpoint is there now for this caller; `undefined` where it is not his, or not there any more. `held`: what he was shown
   * before; versions stay, where they are still there.
   */
  seenBy(view: View, viewer: Viewer, held?: View): View | undefined
  /** A version, whoever has it. */
  find(server: string, version: string): ServerConfig | undefined
}

/** So many different ones are kept at hand. */
const MAX_KEPT = 1000

export function createViews({ servers, names, isOut = () => false }: Viewed): Views {
  let now = build(servers)

  function build(given: readonly ListedServer[]) {
    const enabled = given.filter(server => server.enabled)
    return {
      enabled,
      all: viewOf(undefined, enabled.flatMap(versionsOf), names),
      single: new Map(enabled.map(server => [server.id, viewOf(server.id, versionsOf(server), 'own')])),
      byId: new Map(enabled.map(server => [server.id, server])),
      isScoped: enabled.some(server => server.tenants !== undefined || server.kind === 'versioned'),
      /** By what is seen, of which there are few, and not by tenant, of which there may be many. */
      kept: new Map<string, View>(),
      /** By caller: each of his requests asks. */
      seen: new WeakMap<NonNullable<Viewer>, View>(),
    }
  }

  /** The same object for all who see the same. */
  function keep(view: View): View {
    const known = now.kept.get(view.key)
    if (known !== undefined) return known
    if (now.kept.size >= MAX_KEPT) now.kept.clear()
    now.kept.set(view.key, view)
    return view
  }

  function shown(server: ListedServer, viewer: Viewer, held: View | undefined): ServerConfig {
    if (server.kind !== 'versioned') return server
    return assign(server, viewer, isOut, held?.servers.find(({ id }) => id === server.id)?.version)
  }

  function narrow(viewer: Viewer, held: View | undefined): View {
    const known = viewer !== undefined && held === undefined ? now.seen.get(viewer) : undefined
    if (known !== undefined) return known
    const seen = now.enabled.filter(server => isFor(server, viewer?.tenant)).map(server => shown(server, viewer, held))
    const view = keep(viewOf(undefined, seen, names))
    if (viewer !== undefined && held === undefined) now.seen.set(viewer, view)
    return view
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
    review() {
      now = build(now.enabled)
    },
    of: id => now.single.get(id),
    nowhere: id => viewOf(id, [], 'own'),
    seenBy({ only }, viewer, held) {
      if (only === undefined) return now.isScoped ? narrow(viewer, held) : now.all
      const server = now.byId.get(only)
      if (server === undefined || !isFor(server, viewer?.tenant)) return undefined
      return server.kind === 'versioned' ? keep(viewOf(only, [shown(server, viewer, held)], 'own')) : now.single.get(only)
    },
    find(id, version) {
      const server = now.byId.get(id)
      return server && versionsOf(server).find(one => one.version === version)
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

function isFor({ tenants }: ListedServer, tenant: string | undefined): boolean {
  return tenants === undefined || (tenant !== undefined && tenants.includes(tenant))
}

function viewOf(only: string | undefined, servers: readonly ServerConfig[], naming: View['naming']): View {
  const key = JSON.stringify([only ?? null, ...servers.map(versionName)])
  return {
    only,
    servers,
    naming,
    key,
    versions: servers
      .filter(({ version }) => version !== undefined)
      .map(versionName)
      .join(' '),
  }
}
