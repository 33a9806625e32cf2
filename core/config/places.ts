// What is reached where a server is meant: itself, each of its versions, and of these each instance; and what each of these is called.
import type { ConfiguredServer, ListedServer, ReachedServer, ServerConfig } from './schema.ts'

const known = new WeakMap<ServerConfig, readonly ServerConfig[]>()

/** What calls may go to: itself, or each of its versions. */
export function versionsOf(server: ConfiguredServer): readonly ReachedServer[]
export function versionsOf(server: ListedServer): readonly ServerConfig[]
export function versionsOf(server: ListedServer): readonly ServerConfig[] {
  return server.kind === 'versioned' ? server.versions.map(one => one.server) : [server]
}

/** Its instances, or itself where it has none. The same objects for the same server. */
export function placesOf<S extends ServerConfig>(server: S): readonly S[] {
  let places = known.get(server)
  if (places === undefined) {
    places = expand(server)
    known.set(server, places)
  }
  return places as readonly S[]
}

function expand(server: ServerConfig): readonly ServerConfig[] {
  if (server.kind === 'inner' || server.instances === undefined) return [server]
  if (server.kind === 'child') {
    const { instances, ...one } = server
    return Array.from({ length: instances }, (_, index) => ({ ...one, instance: index + 1 }))
  }
  const { instances, ...one } = server
  return instances.map(({ url, headers }, index) => ({ ...one, url, headers: { ...one.headers, ...headers }, instance: index + 1 }))
}

interface Named {
  readonly version?: string | undefined
  readonly instance?: number | undefined
}

/** `ID`, `ID@VERSION`, with instances `ID#INSTANCE` or `ID@VERSION#INSTANCE`. No id or version holds an @ or a #. */
export function placeOf({ id, version, instance }: Named & { readonly id: string }): string {
  return (version === undefined ? id : `${id}@${version}`) + (instance === undefined ? '' : `#${instance}`)
}

/** One of its versions, whatever instances it has. */
export function versionName({ id, version }: { readonly id: string; readonly version?: string | undefined }): string {
  return placeOf({ id, version })
}

/** For records and logs, beside the id. */
export function whichOf({ version, instance }: Named): { readonly version?: string; readonly instance?: number } {
  return { ...(version !== undefined && { version }), ...(instance !== undefined && { instance }) }
}
