// How every configured server is doing: for health, for `servers status`, and for whoever may start a process or send a call.
import type { ServerConfig } from '../config/schema.ts'
import type { Condition, Health } from '../health.ts'
import { OPERATION_BOUNDS } from '../metrics/exchanges.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { AdminEvent, Clock, Log } from '../plugin/index.ts'
import { createSupervisor, type ServerHealth, type Supervisor } from './child/supervisor.ts'
import { createGate, type Gate, type GateView } from './gate.ts'
import type { TransportFault } from './transport.ts'

export interface ServerBoard {
  /** Of a child server; throws for any other. */
  supervisor(server: string): Supervisor
  opened(server: string, protocol: string): void
  /** Of any server that is enabled. */
  gate(server: string): Gate
  closed(server: string, fault: TransportFault): void
  list(): readonly ShownServer[]
}

/** No text of the server's own is in here. */
export interface ShownServer extends ServerHealth {
  readonly calls: GateView
}

export interface BoardOptions {
  readonly servers: readonly ServerConfig[]
  readonly clock: Clock
  readonly log: Log
  onEvent?(event: AdminEvent): void
  /** Each server is a component of it, `server/ID`. */
  readonly health?: Pick<Health, 'component'>
  readonly metrics?: Pick<MetricsRegistry, 'core'> | undefined
}

interface Remote {
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
  const gates = new Map<string, Gate>()
  const took = metrics?.core.histogram('server_operation_duration_seconds', 'From a request to a server to its answer.', OPERATION_BOUNDS, [
    'server',
  ])
  for (const server of servers) {
    if (!server.enabled) continue
    const component = health?.component(`server/${server.id}`)
    let broken: Condition | undefined
    let leftAlone: Condition | undefined
    const onHealth = ({ state, lastFailure }: Pick<ServerHealth, 'state' | 'lastFailure'>): void => {
      // While it is being started nothing new is known: a server that fails over and over stays degraded.
      if (state === 'starting') return
      broken = isBroken(state) ? { status: 'degraded', why: lastFailure ?? state } : undefined
      component?.set(broken ?? leftAlone)
    }
    const onChange = ({ breaker, why, killed }: GateView): void => {
      leftAlone = breaker === 'closed' ? undefined : { status: 'degraded', why: why ?? breaker }
      if (killed) leftAlone = { status: 'degraded', why: 'killed by an operator; mcpgw kill --list says why' }
      component?.set(broken ?? leftAlone)
    }
    gates.set(server.id, createGate({ server, clock, log, onChange, took: took?.at({ server: server.id }), ...(onEvent && { onEvent }) }))
    if (server.kind === 'child')
      supervisors.set(server.id, createSupervisor({ server: server.id, clock, log, onHealth, ...(onEvent && { onEvent }) }))
    else remotes.set(server.id, { state: 'stopped', since: clock.now(), open: 0, restarts: 0, lastFailure: undefined, onHealth })
  }

  function change(remote: Remote, state: Remote['state']): void {
    if (remote.state === state) return
    remote.state = state
    remote.since = clock.now()
    const { lastFailure } = remote
    remote.onHealth({ state, ...(lastFailure !== undefined && { lastFailure }) })
  }

  function healthOf(id: string): ServerHealth {
    const remote = remotes.get(id)
    const protocol = protocols.get(id)
    const spoken = protocol === undefined ? {} : { protocol }
    if (remote === undefined) return { ...supervisors.get(id)!.health, ...spoken }
    const { state, since, restarts, lastFailure } = remote
    return { server: id, state, since, pids: [], restarts, ...(lastFailure !== undefined && { lastFailure }), ...spoken }
  }

  return {
    supervisor(server) {
      const found = supervisors.get(server)
      if (found === undefined) throw new Error(`${server} is no child server`)
      return found
    },
    gate(server) {
      const found = gates.get(server)
      if (found === undefined) throw new Error(`${server} is no server that is enabled`)
      return found
    },
    opened(server, protocol) {
      protocols.set(server, protocol)
      const remote = remotes.get(server)
      if (remote === undefined) return
      remote.open++
      if (remote.lastFailure !== undefined) remote.restarts++
      change(remote, 'ready')
    },
    closed(server, fault) {
      const remote = remotes.get(server)
      // How a child ended, its supervisor tells.
      if (remote === undefined) return
      log.warn('connection to server lost', { server, code: fault.code, detail: fault.detail })
      remote.open = Math.max(0, remote.open - 1)
      remote.lastFailure = fault.detail
      onEvent?.({ type: 'server.exit', success: false, detail: { server, code: fault.code, detail: fault.detail } })
      if (remote.open === 0) change(remote, 'failed')
    },
    list: () => servers.filter(server => server.enabled).map(({ id }) => ({ ...healthOf(id), calls: gates.get(id)!.view })),
  }
}

function isBroken(state: ServerHealth['state']): boolean {
  return state === 'backoff' || state === 'failed'
}
