// What is reached where a server is meant: itself, or each of its instances; and what each of these is called.
import type { ServerConfig } from './schema.ts'

const known = new WeakMap<ServerConfig, readonly ServerConfig[]>()

/** The same objects for the same server. */
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

/** `ID`, or `ID#INSTANCE`. No id holds a #. */
export function placeOf({ id, instance }: { readonly id: string; readonly instance?: number | undefined }): string {
  return instance === undefined ? id : `${id}#${instance}`
}

/** For records and logs, beside the id. */
export function whichOf({ instance }: { readonly instance?: number | undefined }): { readonly instance?: number } {
  return instance === undefined ? {} : { instance }
}
