// Keeps the merged lists of each session's view, and fetches what they are made of.
import type { Session } from '../downstream/session.ts'
import type { ListKind } from '../mcp/methods.ts'
import type { Log } from '../plugin/index.ts'
import { isItems } from '../upstream/listing.ts'
import type { Berth, LanePool } from '../upstream/pool.ts'
import { buildCatalog, type Catalog, type Entry, isCurrent, type Source } from './catalog.ts'

export class Catalogs {
  readonly #pool: LanePool
  readonly #log: Log
  readonly #berths = new WeakMap<Session, Map<string, Berth>>()
  readonly #bySession = new WeakMap<Session, Map<string, Catalog>>()
  /** Sessions whose lanes are the same have the same lists: the last merged one of each kind is tried first. */
  readonly #latest = new Map<string, Catalog>()

  constructor(pool: LanePool, log: Log) {
    this.#pool = pool
    this.#log = log
  }

  /** The lane of this session to a server of its view. */
  berth(session: Session, server: string): Berth | undefined {
    let berths = this.#berths.get(session)
    if (berths === undefined) {
      berths = new Map()
      this.#berths.set(session, berths)
    }
    let berth = berths.get(server)
    if (berth === undefined) {
      const config = session.view.servers.find(one => one.id === server)
      if (config === undefined) return undefined
      const own = session.declares ? { id: session.id, client: { info: session.info, capabilities: session.capabilities } } : undefined
      berth = this.#pool.berth(config, { principalId: session.principalId, session: own }, session.user)
      berths.set(server, berth)
    }
    return berth
  }

  /** The merged list, from servers that answer; one that does not is left out and logged. */
  async fetch(session: Session, kind: ListKind): Promise<Catalog> {
    const lists = await Promise.all(
      session.view.servers.map(async ({ id }) => {
        const items = await this.berth(session, id)!.lists.fetch(kind)
        if (isItems(items)) return { server: id, items }
        this.#log.warn('list of a server left out', { server: id, list: kind.of })
        return undefined
      }),
    )
    return this.#merge(
      session,
      kind,
      lists.filter(list => list !== undefined),
    )
  }

  /** An entry of a list that is surely current, without asking anybody. */
  peek(session: Session, kind: ListKind, publicName: string): Entry | undefined {
    const entry = this.#bySession.get(session)?.get(kind.of)?.byName.get(publicName)
    if (entry === undefined) return undefined
    const { lists } = this.berth(session, entry.server)!
    const source = this.#bySession
      .get(session)!
      .get(kind.of)!
      .sources.find(one => one.server === entry.server)
    return source !== undefined && lists.known(kind) === source.items ? entry : undefined
  }

  /** The list as last seen, of the servers given; those never asked are asked now. */
  async known(session: Session, kind: ListKind, servers: readonly string[]): Promise<Catalog> {
    const have = this.#bySession.get(session)?.get(kind.of)
    if (
      have !== undefined &&
      servers.every(server => have.sources.some(source => source.server === server && this.#isFresh(session, server, kind, source)))
    ) {
      return have
    }
    const sources: Source[] = []
    for (const { id } of session.view.servers) {
      const { lists } = this.berth(session, id)!
      const items = servers.includes(id) ? await lists.fetch(kind) : lists.known(kind)
      if (items !== undefined && isItems(items)) sources.push({ server: id, items })
    }
    return this.#merge(session, kind, sources)
  }

  /** How this session knows a uri of a server. */
  publicUri(session: Session, server: string, uri: string): string {
    const entries = this.#bySession.get(session)?.get('resources')?.entries
    return entries?.find(entry => entry.server === server && entry.name === uri)?.publicName ?? uri
  }

  #isFresh(session: Session, server: string, kind: ListKind, source: Source): boolean {
    return this.berth(session, server)!.lists.known(kind) === source.items
  }

  #merge(session: Session, kind: ListKind, sources: readonly Source[]): Catalog {
    let kept = this.#bySession.get(session)
    if (kept === undefined) {
      kept = new Map()
      this.#bySession.set(session, kept)
    }
    const key = `${session.view.only ?? ''}\0${kind.of}`
    const candidates = [kept.get(kind.of), this.#latest.get(key)]
    let catalog = candidates.find(candidate => candidate !== undefined && isCurrent(candidate, sources))
    if (catalog === undefined) {
      catalog = buildCatalog(session.view, kind, sources)
      this.#latest.set(key, catalog)
      for (const { server, name, like } of catalog.quarantined) {
        this.#log.warn('quarantined: the name collides with another or looks like it', { server, name, like, list: kind.of })
      }
    }
    kept.set(kind.of, catalog)
    return catalog
  }
}
