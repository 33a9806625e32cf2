// From one list of servers to the next: what is new, what is gone, and what stays untouched.
import { isDeepStrictEqual } from 'node:util'
import type { ServerConfig } from '../config/schema.ts'

/** A server that differs in anything is removed and added. What is the same before and after is the same object. */
export interface FleetChange {
  /** All that there are now, in their order. */
  readonly servers: readonly ServerConfig[]
  readonly added: readonly ServerConfig[]
  readonly removed: readonly ServerConfig[]
}

/** Of those that are enabled; `undefined` where nothing differs. */
export function compareFleets(given: readonly ServerConfig[], next: readonly ServerConfig[]): FleetChange | undefined {
  const before = given.filter(({ enabled }) => enabled)
  const known = new Map(before.map(server => [server.id, server]))
  const servers = next
    .filter(({ enabled }) => enabled)
    .map(server => {
      const old = known.get(server.id)
      return old !== undefined && isSame(old, server) ? old : server
    })
  if (servers.length === before.length && servers.every((server, i) => server === before[i])) return undefined
  const kept = new Set(servers)
  return {
    servers,
    added: servers.filter(server => known.get(server.id) !== server),
    removed: before.filter(server => !kept.has(server)),
  }
}

/** By ids, for people and for the record. */
export function nameChange({ added, removed }: FleetChange): Readonly<Record<'added' | 'changed' | 'removed', readonly string[]>> {
  const [now, gone] = [added, removed].map(servers => servers.map(({ id }) => id)) as [string[], string[]]
  return {
    added: now.filter(id => !gone.includes(id)),
    changed: now.filter(id => gone.includes(id)),
    removed: gone.filter(id => !now.includes(id)),
  }
}

/** Where it stands in the config is nothing of the server. */
function isSame(a: ServerConfig, b: ServerConfig): boolean {
  return isDeepStrictEqual({ ...a, at: undefined }, { ...b, at: undefined })
}
