// From one list of servers to the next: what is new, what is gone, and what stays untouched.
import { isDeepStrictEqual } from 'node:util'
import { aboutOf } from '../config/about.ts'
import { versionsOf } from '../config/places.ts'
import { authOf, type ListedServer, type ServerConfig } from '../config/schema.ts'

/** A server, or a version, that differs in more than what is said of it is removed and added. What is the same before and after is the same object. */
export interface FleetChange {
  /** All that there are now, in their order. */
  readonly servers: readonly ListedServer[]
  /** Whatever calls may go to: of those with versions, these. */
  readonly added: readonly ServerConfig[]
  readonly removed: readonly ServerConfig[]
  /** By ids, for people and for the record. `changed`: also where no more than who has which version, or what is said of it, is another. */
  readonly ids: Readonly<Record<'added' | 'changed' | 'removed', readonly string[]>>
}

/** Of those that are enabled; `undefined` where nothing differs. `told`: as they were last given, which may say more of one than the object that stayed. */
export function compareFleets(
  given: readonly ListedServer[],
  next: readonly ListedServer[],
  told: readonly ListedServer[] = given,
): FleetChange | undefined {
  const before = given.filter(({ enabled }) => enabled)
  const known = new Map(before.map(server => [server.id, server]))
  const said = new Map(told.map(server => [server.id, sayingOf(server)]))
  const servers = next
    .filter(({ enabled }) => enabled)
    .map(server => {
      const old = known.get(server.id)
      if (old === undefined) return server
      return isSame(old, server) ? old : keepVersions(old, server)
    })
  const retold = new Set(
    next.filter(server => known.has(server.id) && !isDeepStrictEqual(sayingOf(server), said.get(server.id))).map(({ id }) => id),
  )
  if (servers.length === before.length && servers.every((server, i) => server === before[i] && !retold.has(server.id))) return undefined
  const there = new Set(servers.map(({ id }) => id))
  const [was, is] = [before, servers].map(all => all.flatMap(versionsOf)) as [ServerConfig[], ServerConfig[]]
  const [old, now] = [new Set(was), new Set(is)]
  return {
    servers,
    added: is.filter(server => !old.has(server)),
    removed: was.filter(server => !now.has(server)),
    ids: {
      added: servers.filter(({ id }) => !known.has(id)).map(({ id }) => id),
      changed: servers.filter(({ id }, i) => known.has(id) && (known.get(id) !== servers[i] || retold.has(id))).map(({ id }) => id),
      removed: before.filter(({ id }) => !there.has(id)).map(({ id }) => id),
    },
  }
}

/** The same servers, and the one with this id as another one that is like it; `undefined` where there is none. */
export function replaceServer(before: readonly ListedServer[], id: string): FleetChange | undefined {
  const old = before.find(server => server.id === id)
  if (old === undefined) return undefined
  const now: ListedServer =
    old.kind === 'versioned' ? { ...old, versions: old.versions.map(one => ({ ...one, server: { ...one.server } })) } : { ...old }
  return {
    servers: before.map(server => (server === old ? now : server)),
    added: versionsOf(now),
    removed: versionsOf(old),
    ids: { added: [], changed: [id], removed: [] },
  }
}

/** Weights and pins decide who comes, and are nothing of a version itself: whoever is there stays. */
function keepVersions(before: ListedServer, now: ListedServer): ListedServer {
  if (before.kind !== 'versioned' || now.kind !== 'versioned') return now
  const versions = now.versions.map(one => {
    const old = before.versions.find(({ server }) => server.version === one.server.version)?.server
    return old !== undefined && isSame(old, one.server) ? { ...one, server: old } : one
  })
  // What is shown to all versions of one server is one credential, which goes and comes as a whole.
  const isKept = versions.every(({ server }, i) => server !== now.versions[i]!.server)
  return isKept || authOf(now) === undefined ? { ...now, versions } : now
}

/** Where it stands in the config, and what is said of it, is nothing of the server: no process starts again for it. */
function isSame(a: ListedServer, b: ListedServer): boolean {
  return isDeepStrictEqual(bareOf(a), bareOf(b))
}

function bareOf(server: ListedServer): unknown {
  const bare = { ...server, at: undefined, name: undefined, description: undefined, owner: undefined, tags: undefined }
  return server.kind === 'versioned' ? { ...bare, versions: server.versions.map(one => ({ ...one, server: bareOf(one.server) })) } : bare
}

function sayingOf(server: ListedServer): object {
  return { name: server.name, ...(server.kind !== 'inner' && aboutOf(server)) }
}
