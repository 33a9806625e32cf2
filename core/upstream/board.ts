// How every configured server is doing: for health, for `servers status`, and for whoever may start a process.
import type { ServerConfig } from '../config/schema.ts'
import type { AdminEvent, Clock, Log } from '../plugin/index.ts'
import { createSupervisor, type ServerHealth, type Supervisor } from './supervisor.ts'
import type { TransportFault } from './transport.ts'

export interface ServerBoard {
  /** Of a child server; throws for any other. */
  supervisor(server: string): Supervisor
  opened(server: string): void
  closed(server: string, fault: TransportFault): void
  list(): readonly ServerHealth[]
}

export interface BoardOptions {
  readonly servers: readonly ServerConfig[]
  readonly clock: Clock
  readonly log: Log
  onEvent?(event: AdminEvent): void
}

interface Remote {
  state: ServerHealth['state']
  since: number
  open: number
  restarts: number
  lastFailure: string | undefined
}

export function createServerBoard({ servers, clock, log, onEvent }: BoardOptions): ServerBoard {
  const supervisors = new Map<string, Supervisor>()
  const remotes = new Map<string, Remote>()
  for (const server of servers) {
    if (!server.enabled) continue
    if (server.kind === 'child')
      supervisors.set(server.id, createSupervisor({ server: server.id, clock, log, ...(onEvent && { onEvent }) }))
    else remotes.set(server.id, { state: 'stopped', since: clock.now(), open: 0, restarts: 0, lastFailure: undefined })
  }

  function change(remote: Remote, state: Remote['state']): void {
    if (remote.state === state) return
    remote.state = state
    remote.since = clock.now()
  }

  return {
    supervisor(server) {
      const found = supervisors.get(server)
      if (found === undefined) throw new Error(`${server} is no child server`)
      return found
    },
    opened(server) {
      const remote = remotes.get(server)
      if (remote === undefined) return
      remote.open++
      if (remote.lastFailure !== undefined) remote.restarts++
      change(remote, 'ready')
    },
    closed(server, fault) {
      log.warn('connection to server lost', { server, code: fault.code, detail: fault.detail })
      const remote = remotes.get(server)
      if (remote === undefined) return
      remote.open = Math.max(0, remote.open - 1)
      remote.lastFailure = fault.detail
      onEvent?.({ type: 'server.exit', detail: { server, code: fault.code, detail: fault.detail } })
      if (remote.open === 0) change(remote, 'failed')
    },
    list: () =>
      servers
        .filter(server => server.enabled)
        .map(({ id }) => {
          const remote = remotes.get(id)
          if (remote === undefined) return supervisors.get(id)!.health
          const { state, since, restarts, lastFailure } = remote
          return { server: id, state, since, pids: [], restarts, ...(lastFailure !== undefined && { lastFailure }) }
        }),
  }
}
