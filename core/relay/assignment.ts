// Which version of a server a caller has: the one that he is pinned to, else one by his share, and for him always the same.
import type { ServerConfig, ServerVersion, VersionedServer, VersionPins } from '../config/schema.ts'
import { ownerOf } from '../owner.ts'
import type { Principal } from '../plugin/index.ts'
import { drawOf } from '../upstream/choice.ts'

/** As far as it counts for what he is shown; undefined: nobody in particular. */
export type Viewer = Pick<Principal, 'id' | 'tenant' | 'roles' | 'via'> | undefined

/**
 * `isOut`: no caller is given this one, as long as there is another. `held`: the one that he has, and keeps where it is still there.
 * Invariant: which of them are well has no say in this: nobody is moved to another version because his own is down.
 */
export function assign(
  { id, versions }: VersionedServer,
  viewer: Viewer,
  isOut: (server: ServerConfig) => boolean,
  held?: string,
): ServerConfig {
  const left = versions.filter(({ server }) => !isOut(server))
  const among = left.length > 0 ? left : versions
  const chosen =
    among.find(({ server }) => server.version === held) ??
    among.find(({ pins }) => viewer !== undefined && fits(pins, viewer)) ??
    draw(among, `${id}\0${ownerOf(viewer)}`)
  return chosen.server
}

function draw(among: readonly ServerVersion[], owner: string): ServerVersion {
  const names = among.map(({ server }) => server.version ?? '')
  // Where only such are left as should get nobody, somebody must.
  const isShared = among.some(({ weight }) => weight > 0)
  const drawn = drawOf(
    owner,
    names,
    index => (isShared ? among[index]!.weight : 1),
    () => true,
  )
  return among[drawn ?? 0]!
}

function fits({ roles, consumers, tenants }: VersionPins, { id, tenant, roles: own }: NonNullable<Viewer>): boolean {
  return consumers.includes(id) || tenants.includes(tenant) || roles.some(role => own.includes(role))
}
