// Keeps the merged lists of each session's view, and fetches what they are made of.
import { isPromise } from '../awaitable.ts'
import { authOf, type ServerConfig } from '../config/schema.ts'
import type { Session } from '../downstream/session.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { LISTS, type ListKind } from '../mcp/methods.ts'
import { matchesTemplate } from '../mcp/uri-template.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import type { Berth } from '../upstream/berth.ts'
import type { Lane } from '../upstream/lane.ts'
import { type Items, isItems, type Listings } from '../upstream/listing.ts'
import type { LanePool } from '../upstream/pool.ts'
import { AUTHORIZE_TOOL } from './authorize-tool.ts'
import { Berths } from './berths.ts'
import { aliasUri, buildCatalog, type Catalog, type Entry, isCurrent, type Source } from './catalog.ts'
import type { Views } from './view.ts'

/** A list waits so long for a server; the others are not to suffer from one that hangs. */
const PATIENCE_MS = 10_000
/** And an answer so long for lists that it is not about. */
const LEARN_MS = 1000
/** So many quarantined names of a list, and so much of each, are logged. */
const TOLD = 20
const TOLD_LENGTH = 200
const [TOOLS, RESOURCES, TEMPLATES] = LISTS as readonly [ListKind, ListKind, ListKind, ListKind]
const TO_AUTHORIZE: Items = [AUTHORIZE_TOOL]

function takesUsers({ server }: Lane): boolean {
  return authOf(server)?.user !== undefined
}

export class Catalogs {
  readonly #berths: Berths
  readonly #clock: Clock
  readonly #log: Log
  readonly #isJudged: boolean
  readonly #learnt = new WeakMap<Session, ReadonlySet<string>>()
  readonly #bySession = new WeakMap<Session, Map<string, Catalog>>()
  /** Why a list could not be had last. */
  readonly #failed = new WeakMap<Listings, Answer>()
  /** Sessions whose lanes are the same have the same lists: the last merged one of each kind is tried first. */
  readonly #latest = new Map<string, Catalog>()

  /** `isJudged`: a plugin looks at definitions. Then none is used of which the server has said that it changed: the list is asked for first. */
  constructor(pool: LanePool, views: Pick<Views, 'find'>, clock: Clock, log: Log, isJudged: boolean) {
    this.#berths = new Berths(pool, views)
    this.#clock = clock
    this.#log = log
    this.#isJudged = isJudged
  }

  /** The lane of this session to a server of its view; with `version`, to that one: a call keeps to the one that it was decided for. */
  berth(session: Session, server: string, version?: string): Berth | undefined {
    return this.#berths.of(session, server, version)
  }

  /** The endpoint of this session shows other servers than before: what was gathered from those is forgotten. */
  forget(session: Session): void {
    this.#berths.leave(session)
    this.#bySession.delete(session)
    this.#learnt.delete(session)
    this.#latest.clear()
  }

  /** The merged list, current; of the servers given it is asked anew. One that does not answer is left out and logged. */
  fetch(session: Session, kind: ListKind, servers?: readonly string[]): Promise<Catalog> {
    return this.#gather(session, kind, ({ id }) => (servers === undefined ? 'ask' : servers.includes(id) ? 'again' : 'recall'))
  }

  /** An entry of a list that is surely current, without asking anybody. */
  peek(session: Session, kind: ListKind, publicName: string): Entry | undefined {
    const catalog = this.#bySession.get(session)?.get(kind.of)
    const entry = catalog?.byName.get(publicName)
    return entry !== undefined && this.#isFresh(session, entry.server, kind, catalog!) ? entry : undefined
  }

  /** The list as last seen, of the servers given; those never asked are asked now. */
  async known(session: Session, kind: ListKind, servers: readonly string[]): Promise<Catalog> {
    const have = this.#bySession.get(session)?.get(kind.of)
    if (have !== undefined && servers.every(server => this.#isFresh(session, server, kind, have))) return have
    return this.#gather(session, kind, ({ id }, lists) => (this.#mayUse(lists, kind) || !servers.includes(id) ? 'recall' : 'ask'))
  }

  #mayUse(lists: Listings, kind: ListKind): boolean {
    return lists.known(kind) !== undefined && !(this.#isJudged && lists.isStale(kind))
  }

  async #gather(
    session: Session,
    kind: ListKind,
    how: (server: ServerConfig, lists: Listings) => 'ask' | 'again' | 'recall',
  ): Promise<Catalog> {
    const { view } = session
    const gathered = await Promise.all(
      view.servers.map(async server => {
        const { id, version } = server
        const { lane, lists } = this.berth(session, id)!
        const wanted = how(server, lists)
        const items = wanted === 'recall' ? lists.known(kind) : await this.#ask(session, lane, lists, kind, wanted === 'again')
        return items === undefined ? undefined : { server: id, version, items, page: lists.firstPage(kind), mirrors: isMirrored(lane) }
      }),
    )
    const sources = gathered.filter(source => source !== undefined)
    const isThere = ({ server }: Source): boolean => session.view.servers.some(({ id }) => id === server)
    return this.#merge(session, kind, session.view === view ? sources : sources.filter(isThere))
  }

  /** The list of one server, as last seen where it does not answer in time; when it does answer, the list has changed. */
  async #ask(session: Session, lane: Lane, lists: Listings, kind: ListKind, again: boolean): Promise<Items | undefined> {
    const asked = lists.fetch(kind, again)
    if (!isPromise(asked)) return asked
    let late = false
    this.#failed.delete(lists)
    const answered = asked.then(found => {
      if (late && isItems(found)) session.user.notified(lane, kind.changed, undefined)
      if (isItems(found)) return found
      if (kind === TOOLS && found.code === 'upstream-credential' && takesUsers(lane)) return TO_AUTHORIZE
      this.#failed.set(lists, found)
      return undefined
    })
    const found = await new Promise<Items | undefined>((resolve, reject) => {
      const stop = this.#clock.after(PATIENCE_MS, () => {
        late = true
        this.#failed.set(lists, errorAnswer('upstream-timeout', { server: lane.server.id }))
        resolve(lists.known(kind))
      })
      answered.finally(stop).then(resolve, reject)
    })
    if (found === undefined) this.#log.warn('list of a server left out', { server: lane.server.id, list: kind.of, late })
    return found
  }

  /** Why there is no list: of the one server of this view, where it gave none. Among several it is merely left out. */
  failure(session: Session, catalog: Catalog): Answer | undefined {
    const { only } = session.view
    if (only === undefined || catalog.sources.length > 0) return undefined
    const berth = this.berth(session, only)
    return (berth && this.#failed.get(berth.lists)) ?? errorAnswer('upstream-unavailable', { server: only })
  }

  /** How this session calls the uris of a server; `undefined` where it calls none otherwise than the server does. */
  renamesOf(session: Session, server: string): ((uri: string) => string) | undefined {
    const kept = this.#bySession.get(session)
    const resources = kept?.get('resources')
    const own = resources?.aliases.get(server)
    const templates = kept?.get('templates')?.aliases.get(server)
    if (own === undefined && templates === undefined) return undefined
    return uri => {
      const listed = own?.get(uri)
      if (listed !== undefined || templates === undefined || resources?.byName.has(uri)) return listed ?? uri
      // What comes of a template that two servers have could come of either.
      for (const template of templates.keys()) if (template === uri || matchesTemplate(template, uri)) return aliasUri(server, uri)
      return uri
    }
  }

  /** Asks for the lists that tell which uris two servers have: of each server once a session, when it is open, and not for long. */
  learnUris(session: Session): Promise<void> | undefined {
    const asked = this.#learnt.get(session)
    const open = session.view.servers.filter(
      ({ id }) => this.berth(session, id)!.lane.agreement?.capabilities.get('resources') !== undefined,
    )
    if (open.length < 2 || open.every(({ id }) => asked?.has(id))) return undefined
    const servers = open.map(({ id }) => id)
    this.#learnt.set(session, new Set(servers))
    return new Promise(resolve => {
      const stop = this.#clock.after(LEARN_MS, resolve)
      Promise.all([this.known(session, RESOURCES, servers), this.known(session, TEMPLATES, servers)])
        .catch(error => this.#log.error('bug: lists could not be asked for', { error: String(error) }))
        .finally(() => {
          stop()
          resolve()
        })
    })
  }

  /** True where this server's part of the catalog is what is known of its list now. */
  #isFresh(session: Session, server: string, kind: ListKind, { sources }: Catalog): boolean {
    const source = sources.find(one => one.server === server)
    if (source === undefined) return false
    const berth = this.berth(session, server)
    if (berth === undefined || berth.isRetired) return false
    return berth.lists.known(kind) === source.items && this.#mayUse(berth.lists, kind)
  }

  #merge(session: Session, kind: ListKind, sources: readonly Source[]): Catalog {
    let kept = this.#bySession.get(session)
    if (kept === undefined) {
      kept = new Map()
      this.#bySession.set(session, kept)
    }
    const key = `${session.view.key}\0${kind.of}`
    const candidates = [kept.get(kind.of), this.#latest.get(key)]
    let catalog = candidates.find(candidate => candidate !== undefined && isCurrent(candidate, sources))
    if (catalog === undefined) {
      catalog = buildCatalog(session.view, kind, sources)
      this.#latest.set(key, catalog)
      this.#tellQuarantined(catalog, kind)
      this.#tellUnusable(catalog)
    }
    kept.set(kind.of, catalog)
    return catalog
  }

  #tellUnusable({ unusable }: Catalog): void {
    for (const { server, name, why } of unusable.slice(0, TOLD))
      this.#log.warn('tool left out: its parameters cannot be mirrored in headers', { server, name: name.slice(0, TOLD_LENGTH), why })
  }

  /** A server can offer any number of twins, of any length. */
  #tellQuarantined({ quarantined }: Catalog, kind: ListKind): void {
    for (const { server, name, like } of quarantined.slice(0, TOLD)) {
      const shown = { name: name.slice(0, TOLD_LENGTH), like: like.slice(0, TOLD_LENGTH) }
      this.#log.warn('quarantined: the name collides with another or looks like it', { server, ...shown, list: kind.of })
    }
    if (quarantined.length > TOLD) this.#log.warn('quarantined: more names like these', { list: kind.of, names: quarantined.length - TOLD })
  }
}

/** Spec: 2026-07-28 basic/transports/streamable-http: over HTTP a stateless server wants what its tools annotate in headers. */
function isMirrored({ server, agreement }: Lane): boolean {
  return server.kind === 'remote' && agreement?.era === 'modern'
}
