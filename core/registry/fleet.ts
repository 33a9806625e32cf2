// The servers that there are now. They change as a whole and at once: no request sees a part of a change, and none that is under way is lost.
import { type About, aboutOf } from '../config/about.ts'
import { versionsOf } from '../config/places.ts'
import type { ListedServer } from '../config/schema.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { LISTS } from '../mcp/methods.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Log } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { Views } from '../relay/view.ts'
import type { ServerBoard } from '../upstream/board.ts'
import type { LanePool } from '../upstream/pool.ts'
import { compareFleets, type FleetChange, replaceServer } from './change.ts'

export interface FleetParts {
  readonly board: Pick<ServerBoard, 'add' | 'remove' | 'forget' | 'share'>
  readonly pool: Pick<LanePool, 'retire' | 'probe'>
  readonly credentials: Pick<Credentials, 'add' | 'remove'>
  readonly views: Pick<Views, 'change'>
  readonly relay: Pick<Relay, 'renew'>
  readonly pipeline: Pick<Pipeline, 'changed'>
  readonly log: Log
  /** Called when new ones are there, and before anybody can reach them: what is killed stays so. */
  added(): void
  /** New ones are opened at once, so that they are known before a client asks. */
  readonly probe: boolean
}

export interface Fleet {
  readonly servers: readonly ListedServer[]
  /** Unchanged servers keep their lanes, sessions and processes. What has changed; `undefined` where nothing has. */
  change(next: readonly ListedServer[]): FleetChange | undefined
  /** What is said of a server, as it was last given. */
  about(id: string): About
  /** As if everything of the server with this id had changed; false where there is none. */
  restart(id: string): boolean
}

const LISTED = new Set(LISTS.map(({ capability }) => capability))

export function createFleet(initial: readonly ListedServer[], parts: FleetParts): Fleet {
  const { board, pool, credentials, views, relay, pipeline, log, probe, added: tellAdded } = parts
  let servers: readonly ListedServer[] = initial.filter(({ enabled }) => enabled)
  let told = servers

  function apply({ added, removed, servers: now }: FleetChange): void {
    servers = now
    const kept = new Set(now.flatMap(versionsOf).flatMap(server => (added.includes(server) ? [] : [server.id])))
    for (const server of removed) {
      // Invariant: by the gate that it still has. Whoever restarts its process is needed until its last lane is closed.
      const leaving = pool.retire(server)
      board.remove(server)
      if (!kept.has(server.id)) credentials.remove(server)
      leaving
        .then(() => board.forget(server))
        .catch(error => log.error('bug: a server was not ended', { server: server.id, error: String(error) }))
    }
    for (const server of added) {
      board.add(server)
      credentials.add(server)
    }
    board.share(now)
    tellAdded()
    views.change(now)
    relay.renew()
    for (const { id } of removed) for (const of of LISTED) pipeline.changed({ server: id, of })
    if (probe) pool.probe(added).catch(error => log.error('bug: a new server was not opened', { error: String(error) }))
  }

  return {
    get servers() {
      return servers
    },
    change(next) {
      const change = compareFleets(servers, next, told)
      told = next
      if (change !== undefined) apply(change)
      return change
    },
    about(id) {
      const server = told.find(one => one.id === id)
      return server === undefined || server.kind === 'inner' ? {} : aboutOf(server)
    },
    restart(id) {
      const change = replaceServer(servers, id)
      if (change !== undefined) apply(change)
      return change !== undefined
    },
  }
}
