// Of servers with several versions: which part of their callers each is to get, as it is shown.
import { versionName } from '../config/places.ts'
import type { ListedServer } from '../config/schema.ts'

export interface Share {
  readonly weight: number
  /** Of the callers whom no pin names, 0 to 1. */
  readonly share: number
}

/** By the names of versions. */
export function sharesOf(servers: readonly ListedServer[]): ReadonlyMap<string, Share> {
  const shares = new Map<string, Share>()
  for (const server of servers) {
    if (server.kind !== 'versioned') continue
    const sum = server.versions.reduce((all, { weight }) => all + weight, 0)
    for (const { server: one, weight } of server.versions) shares.set(versionName(one), { weight, share: weight / sum })
  }
  return shares
}

/** `weight 9 (90 %)` */
export function showShare({ weight, share }: Share): string {
  return `weight ${weight} (${Math.round(share * 1000) / 10} %)`
}
