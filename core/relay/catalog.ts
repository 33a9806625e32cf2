// The merged list of a view: entries of all its servers under public names, and the way back from a public name.
import { whichOf } from '../config/places.ts'
import { Json } from '../mcp/json.ts'
import type { ListKind } from '../mcp/methods.ts'
import { isPlain, qualify, serversOf, skeleton } from '../mcp/names.ts'
import { isInvalid, paramHeadersOf } from '../mcp/param-headers.ts'
import type { ListItem } from '../plugin/index.ts'
import type { Items } from '../upstream/listing.ts'
import type { View } from './view.ts'

export interface Entry extends ListItem {
  readonly publicName: string
  /** The definition as it is shown: under the public name, otherwise as the server gave it. */
  readonly shown: Json
  readonly definition: Json
}

/** One server's part of a list. */
export interface Source {
  readonly server: string
  /** Where its config names one. */
  readonly version?: string | undefined
  readonly items: Items
  readonly page: Json | undefined
  /** Parameters of its tools go in headers: a tool whose annotations cannot be followed is not offered. */
  readonly mirrors: boolean
}

export interface Catalog {
  readonly sources: readonly Source[]
  readonly entries: readonly Entry[]
  readonly byName: ReadonlyMap<string, Entry>
  /** Of each server what is shown under another uri: its own to the public one. Empty for what has names. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Left out because of their names: a collision or a look-alike; the one that came first stays. */
  readonly quarantined: readonly { readonly server: string; readonly name: string; readonly like: string }[]
  /** Left out because of annotations that cannot be followed. Spec: 2026-07-28 basic/transports/streamable-http, "Schema Extension". */
  readonly unusable: readonly { readonly server: string; readonly name: string; readonly why: string }[]
}

/** Same sources, same catalog: the caller keeps the last one and asks this first. */
export function isCurrent(catalog: Catalog, sources: readonly Source[]): boolean {
  return (
    catalog.sources.length === sources.length &&
    catalog.sources.every(
      (source, i) => source.items === sources[i]!.items && source.server === sources[i]!.server && source.version === sources[i]!.version,
    )
  )
}

export function buildCatalog(view: View, kind: ListKind, sources: readonly Source[]): Catalog {
  const entries: Entry[] = []
  const byName = new Map<string, Entry>()
  const skeletons = new Map<string, string>()
  const quarantined: { server: string; name: string; like: string }[] = []
  const aliases = new Map<string, Map<string, string>>()
  const unusable: { server: string; name: string; why: string }[] = []
  const ids = view.servers.map(one => one.id)
  const isUri = kind.nameKey !== 'name'
  const shared = isUri || view.naming === 'bare' ? countNames(kind, sources) : undefined
  for (const { server, version, items, mirrors } of sources) {
    for (const definition of items) {
      const name = definition.string(kind.nameKey)!
      const headers = mirrors && kind.of === 'tools' ? paramHeadersOf(definition) : undefined
      if (headers !== undefined && isInvalid(headers)) {
        unusable.push({ server, name, why: headers.invalid })
        continue
      }
      const unique = shared === undefined || (shared.get(name) === 1 && (isUri || isBare(name, ids)))
      const publicName = publicNameOf(view, isUri, server, name, unique)
      // Names are compared as people see them; uris are opaque and compared as they are.
      const looks = isUri ? publicName : `${view.naming === 'bare' && unique ? '' : server}\0${skeleton(name)}`
      const like = skeletons.get(looks)
      if (like !== undefined || byName.has(publicName)) {
        quarantined.push({ server, name, like: like ?? publicName })
        continue
      }
      const shown = publicName === name ? definition : definition.with({ [kind.nameKey]: Json.of(publicName) })
      const entry: Entry = { server, ...whichOf({ version }), name, publicName, definition, shown }
      skeletons.set(looks, publicName)
      byName.set(publicName, entry)
      entries.push(entry)
      if (isUri && publicName !== name) aliases.set(server, (aliases.get(server) ?? new Map()).set(name, publicName))
    }
  }
  return { sources, entries, byName, aliases, quarantined, unusable }
}

function publicNameOf(view: View, isUri: boolean, server: string, name: string, unique: boolean): string {
  if (view.naming === 'own') return name
  if (isUri) return unique ? name : aliasUri(server, name)
  return view.naming === 'bare' && unique ? name : qualify(server, name)
}

/** A bare name is shown as it is: one that providers take, and none that could pass for a qualified name. */
function isBare(name: string, servers: readonly string[]): boolean {
  return isPlain(name) && serversOf(name, servers).length === 0
}

function countNames(kind: ListKind, sources: readonly Source[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { items } of sources) {
    for (const name of new Set(items.map(item => item.string(kind.nameKey)!))) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

const ALIAS = 'mcpgw-server:'
// What is shown as an app is told by its scheme.
const UI = 'ui://'
const UI_ALIAS = 'ui://mcpgw-server/'

/** A uri that two servers offer is shown once for each, as `mcpgw-server:SERVER/URI`, or `ui://mcpgw-server/SERVER/...`. */
export function aliasUri(server: string, uri: string): string {
  return uri.startsWith(UI) ? `${UI_ALIAS}${server}/${uri.slice(UI.length)}` : `${ALIAS}${server}/${uri}`
}

export function readAlias(uri: string): { readonly server: string; readonly uri: string } | undefined {
  const head = [UI_ALIAS, ALIAS].find(one => uri.startsWith(one))
  const end = head === undefined ? -1 : uri.indexOf('/', head.length)
  if (head === undefined || end < 0) return undefined
  return { server: uri.slice(head.length, end), uri: (head === UI_ALIAS ? UI : '') + uri.slice(end + 1) }
}
