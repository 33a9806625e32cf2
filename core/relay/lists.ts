// Merged lists: what all servers of the view offer, narrowed to what this caller may use, page by page.
import { whichOf } from '../config/places.ts'
import { laneOwner } from '../credentials/voice.ts'
import type { Session } from '../downstream/session.ts'
import type { LiveExchange } from '../exchange.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { LISTS, type ListKind } from '../mcp/methods.ts'
import { type Answer, nameOf, type Resource } from '../plugin/index.ts'
import { refusalError } from '../refusal.ts'
import type { Catalog, Entry } from './catalog.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { inDefinition, mayHoldUris } from './public-uris.ts'
import type { View } from './view.ts'

const PAGE = 1000
const EMPTY = Json.of({})

/** First pages that nothing was taken out of: the bytes are the same for all of an era who see the same catalog. */
const whole = { legacy: new WeakMap<Catalog, Json>(), modern: new WeakMap<Catalog, Json>() }

export async function answerList(deps: RelayDeps, catalogs: Catalogs, session: Session, kind: ListKind, x: LiveExchange): Promise<Answer> {
  const sent = x.sent as Json
  // Two requests of a stateless client have no session in common, but their caller and what they see.
  const scope = [session.sessionId ?? session.view.key, session.owner, kind.of].join('\0')
  const start = sent.get('cursor') === undefined ? 0 : openCursor(deps, scope, sent.string('cursor') ?? '')
  if (start === undefined) return errorAnswer('invalid-params', { text: 'the cursor is not one of this list' })
  const catalog = await catalogs.fetch(session, kind)
  const failure = catalogs.failure(session, catalog)
  if (failure !== undefined) return failure
  if (session.era === 'modern' && catalog.entries.length === 0 && !offers(deps, session, kind)) return errorAnswer('method-not-found')
  let entries = catalog.entries
  if (deps.pipeline.wants.lists) {
    const keep = await deps.pipeline.narrow(x, entries)
    if ('code' in keep) return { kind: 'error', payload: refusalError(keep, x.id), code: keep.code }
    entries = entries.filter((_, i) => keep[i] === true)
  }
  const shownOf = await definitionsOf(catalogs, session, kind, catalog)
  if (shownOf === undefined && start === 0 && entries.length === catalog.entries.length && entries.length <= PAGE) {
    let page = whole[session.era].get(catalog)
    if (page === undefined) {
      page = around(catalog).with({ [kind.field]: listOf(entries), ...(session.era === 'modern' && cacheHints(session.view, catalog)) })
      whole[session.era].set(catalog, page)
    }
    return { kind: 'result', payload: page }
  }
  const end = start + PAGE
  // Spec: 2026-07-28 server/utilities/caching: all pages of a list have the same scope. What was narrowed is for one caller and for now.
  const isNarrowed = entries.length < catalog.entries.length
  const hints = session.era === 'modern' && !isNarrowed ? cacheHints(session.view, catalog) : undefined
  const page = EMPTY.with({ [kind.field]: listOf(entries.slice(start, end), shownOf), ...hints })
  return {
    kind: 'result',
    payload: end < entries.length ? page.with({ nextCursor: Json.of(deps.handles.seal('cursor', scope, end)) }) : page,
  }
}

function openCursor({ handles }: RelayDeps, scope: string, cursor: string): number | undefined {
  const offset = handles.open('cursor', scope, cursor)
  return typeof offset === 'number' ? offset : undefined
}

/** Spec: 2026-07-28 server/discover: what no server declares is no method here. */
function offers({ pool }: RelayDeps, { view, principal }: Session, { capability }: ListKind): boolean {
  return view.servers.some(server => {
    const agreement = pool.known(server, laneOwner(server, principal))
    return agreement === undefined || agreement.capabilities.get(capability) !== undefined
  })
}

function listOf(entries: readonly Entry[], shownOf: (entry: Entry) => Json = entry => entry.shown): Json {
  return Json.list(entries.map(shownOf))
}

const withUris = new WeakMap<Catalog, boolean>()

/** Of tools that name a resource: their definitions, with the uris that this client knows; `undefined` where they are shown as they are. */
async function definitionsOf(
  catalogs: Catalogs,
  session: Session,
  { of }: ListKind,
  catalog: Catalog,
): Promise<((entry: Entry) => Json) | undefined> {
  if (of !== 'tools' || session.view.servers.length < 2) return undefined
  let may = withUris.get(catalog)
  if (may === undefined) {
    may = catalog.entries.some(entry => mayHoldUris(entry.shown))
    withUris.set(catalog, may)
  }
  if (!may) return undefined
  await catalogs.learnUris(session)
  const renames = new Map(session.view.servers.map(({ id }) => [id, catalogs.renamesOf(session, id)]))
  if ([...renames.values()].every(rename => rename === undefined)) return undefined
  return ({ server, shown }) => {
    const rename = renames.get(server)
    return rename === undefined ? shown : inDefinition(rename)(shown)
  }
}

/** Good for as long as each server says, and for all only where each of them says so. */
function cacheHints({ servers }: View, { sources }: Catalog): { readonly ttlMs: Json; readonly cacheScope: Json } | undefined {
  const isWhole = sources.length === servers.length && sources.every(({ page }) => page !== undefined)
  if (!isWhole) return undefined
  const times = sources.map(({ page }) => page!.get('ttlMs')?.value)
  const isPublic = sources.every(({ page }) => page!.holds('cacheScope', 'public'))
  const isTimed = times.every(time => Number.isSafeInteger(time) && (time as number) >= 0)
  return { ttlMs: Json.of(isTimed ? Math.min(...(times as number[])) : 0), cacheScope: Json.of(isPublic ? 'public' : 'private') }
}

/** What the one server says beside its entries is said again, where nothing was taken out that it could be about. */
function around({ sources }: Catalog): Json {
  const page = sources.length === 1 ? sources[0]!.page : undefined
  // Of several pages and of stateless servers; what it means is for us.
  return page?.with({ nextCursor: undefined, resultType: undefined, ttlMs: undefined, cacheScope: undefined }) ?? EMPTY
}

/** Whether this caller may see what was denied: what is hidden answers as what does not exist. */
export async function maySee(deps: RelayDeps, catalogs: Catalogs, session: Session, x: LiveExchange): Promise<boolean> {
  if (!deps.pipeline.wants.lists) return true
  const { resource } = x
  // What is in no list is hidden by none.
  if (!('server' in resource) || resource.kind === 'method') return true
  const { server, version } = resource
  const name = { server, ...whichOf({ version }), name: nameOf(resource) }
  const { entries } = await catalogs.known(session, kindOf(resource.kind), [])
  const entry = entries.find(one => one.server === name.server && one.name === name.name)
  // A uri need not be listed to be read.
  const item = entry ?? (resource.kind === 'read' ? { ...name, definition: Json.of({ uri: name.name }) } : undefined)
  if (item === undefined) return true
  const keep = await deps.pipeline.narrow(x, [item])
  return !('code' in keep) && keep[0] === true
}

function kindOf(kind: Resource['kind']): ListKind {
  const [tools, resources, , prompts] = LISTS as readonly [ListKind, ListKind, ListKind, ListKind]
  if (kind === 'call') return tools
  return kind === 'prompt' ? prompts : resources
}
