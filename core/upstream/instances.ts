// The instances of one server, for all lanes to it: which of them takes a call, and which of them get none for now.
import { placesOf, whichOf } from '../config/places.ts'
import type { ServerConfig } from '../config/schema.ts'
import { defaults } from '../config/schema.ts'
import type { Clock, Log } from '../plugin/index.ts'
import { createChoice } from './choice.ts'
import type { Gate } from './gate.ts'
import { createOutliers, type Outliers } from './outliers.ts'

export interface Instances {
  readonly servers: readonly ServerConfig[]
  readonly outliers: Outliers
  /** The best of those that are left; one that is out only where no other is. Undefined where none is left. */
  choose(owner: string, isLeft: (index: number) => boolean): number | undefined
}

export function createInstances(server: ServerConfig, gateOf: (server: ServerConfig) => Gate, clock: Clock, log: Log): Instances {
  const servers = placesOf(server)
  const gates = servers.map(gateOf)
  const balance = server.balance ?? defaults.balance
  const outliers = createOutliers({
    clock,
    breakers: gates.map(gate => gate.breaker),
    comparesPace: balance !== 'by-principal',
    onChange(index, why) {
      const about = { server: server.id, ...whichOf(servers[index]!) }
      if (why === undefined) log.info('instance of a server takes calls again', about)
      else log.warn('instance of a server gets no new calls for a while', { ...about, why })
    },
  })
  const choice = createChoice(balance, servers.map(nameOf), index => gates[index]!.load)
  // Whoever always goes to the same waits for it.
  const hasRoom = (index: number): boolean => balance === 'by-principal' || !gates[index]!.isFull
  return {
    servers,
    outliers,
    choose: (owner, isLeft) =>
      choice.next(owner, index => isLeft(index) && outliers.takes(index) && hasRoom(index)) ??
      choice.next(owner, index => isLeft(index) && outliers.takes(index)) ??
      choice.next(owner, index => isLeft(index) && !outliers.isAway(index)) ??
      choice.next(owner, isLeft),
  }
}

/** Not by number: whoever is taken out of the list must not rename the others. */
function nameOf(server: ServerConfig): string {
  return server.kind === 'remote' || server.kind === 'rest' ? server.url : String(server.instance)
}
