// How every configured server is doing: for health, for `servers status`, and for whoever may start a process or send a call.
import { placeOf, placesOf, versionName, versionsOf, whichOf } from '../config/places.ts'
import type { ListedServer, ServerConfig } from '../config/schema.ts'
import type { Condition, Health } from '../health.ts'
import { OPERATION_BOUNDS } from '../metrics/exchanges.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { AdminEvent, Clock, Log } from '../plugin/index.ts'
import { createSupervisor, type ServerHealth, type Supervisor } from './child/supervisor.ts'
import { createGate, type Gate, type GateView } from './gate.ts'
import { type Share, sharesOf } from './shares.ts'
import type { TransportFault } from './transport.ts'

/** `place`: a server, or one of its instances, as `placeOf` names it. */
export interface ServerBoard {
  /** Of a child server; throws for any other. */
  supervisor(place: string): Supervisor
  opened(place: string, protocol: string): void
  /** Of any server that is enabled. */
  gate(place: string): Gate
  /** Also of those of which something is left. */
  gates(): readonly { readonly server: ServerConfig; readonly gate: Gate }[]
  closed(place: string, fault: TransportFault): void
  /** One for each instance. */
  list(): readonly ShownServer[]
  add(server: ServerConfig): void
  /** It is shown no longer; what is left of it is asked for until `forget`. */
  remove(server: ServerConfig): void
  /** What is left of it, where it is not there again. */
  forget(server: ServerConfig): void
  /** From now on versions have these shares. */
  share(servers: readonly ListedServer[]): void
}

/** No text of the server's own is in here. */
export interface ShownServer extends ServerHealth, Partial<Share> {
  readonly calls: GateView
}

export interface BoardOptions {
  readonly servers: readonly ListedServer[]
  readonly clock: Clock
  readonly log: Log
  onEvent?(event: AdminEvent): void
  /** Each server is a component of it, `server/ID`. */
  readonly health?: Pick<Health, 'component'>
  readonly metrics?: Pick<MetricsRegistry, 'core'> | undefined
}

interface Remote {
  readonly about: Pick<ServerHealth, 'server' | 'version' | 'instance'>
  state: ServerHealth['state']
  since: number
  open: number
  restarts: number
  lastFailure: string | undefined
  readonly onHealth: (health: Pick<ServerHealth, 'state' | 'lastFailure'>) => void
}

export function createServerBoard({ servers, clock, log, onEvent, health, metrics }: BoardOptions): ServerBoard {
  const supervisors = new Map<string, Supervisor>()
  const remotes = new Map<string, Remote>()
  const protocols = new Map<string, string>()
  /** By place. */
  const gates = new Map<string, { readonly server: ServerConfig; readonly gate: Gate }>()
  const took = metrics?.core.histogram('server_operation_duration_seconds', 'From a request to a server to its answer.', OPERATION_BOUNDS, [
    'server',
    'server_version',
  ])
  const shown = new Set<string>()
  let shares = sharesOf(servers)

  function add(server: ServerConfig): void {
    if (server.enabled) for (const place of placesOf(server)) addPlace(place)
  }

  function addPlace(server: ServerConfig): void {
    const place = placeOf(server)
    shown.add(place)
    const component = health?.component(`server/${place}`)
    const isShown = (): boolean => gates.get(place)?.gate === gate && shown.has(place)
    let broken: Condition | undefined
    let leftAlone: Condition | undefined
    const onHealth = ({ state, lastFailure }: Pick<ServerHealth, 'state' | 'lastFailure'>): void => {
      // While it is being started nothing new is known: a server that fails over and over stays degraded.
      if (state === 'starting') return
      broken = isBroken(state) ? { status: 'degraded', why: lastFailure ?? state } : undefined
      if (isShown()) component?.set(broken ?? leftAlone)
    }
    const onChange = ({ breaker, why, killed }: GateView): void => {
      leftAlone = breaker === 'closed' ? undefined : { status: 'degraded', why: why ?? breaker }
      if (killed) leftAlone = { status: 'degraded', why: 'killed by an operator; mcpgw kill --list says why' }
      if (isShown()) component?.set(broken ?? leftAlone)
    }
    const gate = createGate({
      server,
      clock,
      log,
      onChange,
      took: took?.at({ server: server.id, server_version: server.version ?? '' }),
      ...(onEvent && { onEvent }),
    })
    gates.set(place, { server, gate })
    component?.set(undefined)
    forgetState(place)
    const about = { server: server.id, ...whichOf(server) }
    if (server.kind === 'child') supervisors.set(place, createSupervisor({ ...about, clock, log, onHealth, ...(onEvent && { onEvent }) }))
    else remotes.set(place, { about, state: 'stopped', since: clock.now(), open: 0, restarts: 0, lastFailure: undefined, onHealth })
  }
  for (const server of servers.flatMap(versionsOf)) add(server)

  function forgetState(place: string): void {
    supervisors.delete(place)
    remotes.delete(place)
    protocols.delete(place)
  }

  function change(remote: Remote, state: Remote['state']): void {
    if (remote.state === state) return
    remote.state = state
    remote.since = clock.now()
    const { lastFailure } = remote
    remote.onHealth({ state, ...(lastFailure !== undefined && { lastFailure }) })
  }

  function healthOf(place: string): ServerHealth {
    const remote = remotes.get(place)
    const protocol = protocols.get(place)
    const spoken = protocol === undefined ? {} : { protocol }
    if (remote === undefined) return { ...supervisors.get(place)!.health, ...spoken }
    const { about, state, since, restarts, lastFailure } = remote
    return { ...about, state, since, pids: [], restarts, ...(lastFailure !== undefined && { lastFailure }), ...spoken }
  }

  function show(place: string): ShownServer {
    const { server, gate } = gates.get(place)!
    return { ...healthOf(place), ...shares.get(versionName(server)), calls: gate.view }
  }

  return {
    supervisor(place) {
      const found = supervisors.get(place)
      if (found === undefined) throw new Error(`${place} is no child server`)
      return found
    },
    gate(place) {
      const found = gates.get(place)
      if (found === undefined) throw new Error(`${place} is no server that is enabled`)
      return found.gate
    },
    gates: () => [...gates.values()],
    opened(place, protocol) {
      protocols.set(place, protocol)
      const remote = remotes.get(place)
      if (remote === undefined) return
      remote.open++
      if (remote.lastFailure !== undefined) remote.restarts++
      change(remote, 'ready')
    },
    closed(place, fault) {
      const remote = remotes.get(place)
      // How a child ended, its supervisor tells.
      if (remote === undefined) return
      log.warn('connection to server lost', { ...remote.about, code: fault.code, detail: fault.detail })
      remote.open = Math.max(0, remote.open - 1)
      remote.lastFailure = fault.detail
      onEvent?.({ type: 'server.exit', success: false, detail: { ...remote.about, code: fault.code, detail: fault.detail } })
      if (remote.open === 0) change(remote, 'failed')
    },
    list: () => [...shown].map(show),
    share(given) {
      shares = sharesOf(given)
    },
    add,
    remove(server) {
      for (const place of placesOf(server).map(placeOf)) {
        shown.delete(place)
        health?.component(`server/${place}`).remove()
      }
    },
    forget(server) {
      for (const place of placesOf(server).map(placeOf)) {
        if (shown.has(place)) continue
        forgetState(place)
        gates.delete(place)
      }
    },
  }
}

function isBroken(state: ServerHealth['state']): boolean {
  return state === 'backoff' || state === 'failed'
}
