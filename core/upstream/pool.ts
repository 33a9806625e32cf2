// All lanes: who shares one, who gets one of its own, and what is known of each server without asking it again.
import type { GatewayConfig, ServerConfig } from '../config/schema.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { LISTS, type ListKind } from '../mcp/methods.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import { type Berth, type Binding, keyOf, type LaneUser, ownLane } from './berth.ts'
import { createEras, type Eras, type Spoken } from './eras.ts'
import type { Gate } from './gate.ts'
import type { Agreement, LaneClient } from './handshake.ts'
import { Lane } from './lane.ts'
import { type Items, isItems, Listings } from './listing.ts'
import { findRedefined, type Redefined } from './redefinition.ts'
import { KILLED, type Transport, type TransportFault } from './transport.ts'

export type { Berth, Binding, LaneUser } from './berth.ts'

export interface PoolOptions {
  readonly config: Pick<GatewayConfig, 'limits'>
  readonly version: string
  readonly clock: Clock
  readonly log: Log
  /** One a server, whatever lanes it has. */
  gateOf(server: ServerConfig): Gate
  /** `owner`: whose lane it is. `isBusy`: calls are pending, or a user waits for what the server may say outside of calls. */
  createTransport(server: ServerConfig, owner: string, spoken: Spoken | undefined, isBusy: () => boolean): Transport
  /** For health: how the last opening of a server went. */
  noteOpened(server: ServerConfig, agreement: Agreement): void
  noteClosed(server: ServerConfig, fault: TransportFault): void
  /** For the record: a tool is not what it was when it was last listed. */
  noteRedefined(server: ServerConfig, redefined: Redefined): void
  /** `method`: the notification by which a server says that something of it has changed. */
  noteChanged(server: ServerConfig, method: string): void
  scrub(bytes: Uint8Array): Uint8Array
}

export class LanePool {
  readonly #options: PoolOptions
  readonly #berths = new Map<string, Berth>()
  /** Servers that any lane has been opened to. */
  readonly #met = new Set<string>()
  readonly #shared: LaneClient
  readonly #eras: Eras
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#eras = createEras(options.clock)
    this.#shared = { info: Json.of({ name: 'mcpgw', version: options.version }), capabilities: Json.of({}) }
  }

  get size(): number {
    return this.#berths.size
  }

  /** What the server has told this owner of itself, or else nobody in particular. Invariant: what it told another is for that one alone. */
  known(server: string, owner: string): Agreement | undefined {
    return this.#berths.get(ownLane(server, owner))?.agreed ?? this.#berths.get(ownLane(server, ''))?.agreed
  }

  /** The lane of this server for this binding; made, but not opened, where there is none. */
  berth(server: ServerConfig, binding: Binding, user?: LaneUser): Berth {
    const key = keyOf(server, binding)
    let berth = this.#berths.get(key)
    if (berth === undefined) {
      berth = this.#create(server, server.shared ? NO_BINDING : binding, key)
      if (this.#closed) void berth.lane.close()
      else this.#berths.set(key, berth)
    }
    if (user !== undefined) {
      berth.users.add(user)
      if (berth.owners.size < 2) berth.owners.add(user.principalId)
    }
    return berth
  }

  /** Lanes of one session end with it; shared ones stay until they are idle. */
  async leave(user: LaneUser, sessionId: string): Promise<void> {
    const ending: Promise<void>[] = []
    for (const [key, berth] of this.#berths) {
      if (!berth.users.delete(user) || berth.users.size > 0) continue
      if (key.endsWith(`\0${sessionId}`)) {
        this.#berths.delete(key)
        ending.push(berth.lane.close())
      } else this.#retire(berth)
    }
    await Promise.all(ending)
  }

  /** A lane of a principal whose last session has ended is kept for a while; the one that no principal owns stays. */
  #retire(berth: Berth): void {
    const { server } = berth.lane
    if (server.timeout.idleMs === 0 || berth.key === ownLane(server.id, '')) return
    this.#options.clock.after(server.timeout.idleMs, () => {
      if (berth.users.size > 0 || this.#berths.get(berth.key) !== berth) return
      this.#berths.delete(berth.key)
      berth.lane.close().catch(error => this.#options.log.warn('lane did not close', { server: server.id, error: String(error) }))
    })
  }

  /** What `owner` may see of the server is not what it was. */
  changed(server: string, owner: string): void {
    for (const [key, { users, lane }] of this.#berths)
      if (key.startsWith(`${server}\0${owner}\0`))
        for (const list of CHANGED) for (const user of users) user.notified(lane, list, undefined)
  }

  /** Opens one lane a server, to learn what it offers before the first client asks. */
  async probe(servers: readonly ServerConfig[], principalId = ''): Promise<void> {
    await Promise.all(
      servers.map(async server => {
        const berth = this.berth(server, { principalId, session: undefined })
        await berth.lane.ready()
        if (berth.users.size === 0) this.#retire(berth)
      }),
    )
  }

  /** An operator has killed the server: what is under way there ends, and so do its connections and processes. */
  async cut(server: string): Promise<void> {
    const lanes = [...this.#berths.values()].flatMap(({ lane }) => (lane.server.id === server ? [lane] : []))
    await Promise.all(lanes.map(lane => lane.drop(KILLED)))
  }

  /** It is lifted: who waits for what the server may say hears of it again. */
  restore(server: string): void {
    for (const { lane, users } of this.#berths.values()) if (lane.server.id === server && users.size > 0) void lane.ready()
  }

  async close(): Promise<void> {
    this.#closed = true
    const berths = [...this.#berths.values()]
    this.#berths.clear()
    await Promise.all(berths.map(berth => berth.lane.close()))
  }

  /** A process that fell over comes back by itself, as often as its supervisor admits; a remote server when it is needed. */
  #restart(lane: Lane, berth: Berth, fault: TransportFault): void {
    if (lane.server.kind !== 'child' || fault.planned || this.#berths.get(berth.key) !== berth) return
    const again = () => {
      if (this.#berths.get(berth.key) === berth && !lane.isOpen) void lane.ready()
    }
    this.#options.clock.after(fault.retryAfterMs ?? RESTART_MS, again)
  }

  #create(server: ServerConfig, { principalId: owner, session }: Binding, key: string): Berth {
    const { config, clock, log, scrub, createTransport, gateOf, noteOpened, noteClosed, noteRedefined, noteChanged } = this.#options
    const users = new Set<LaneUser>()
    const lane = new Lane({
      server,
      client: session?.client ?? this.#shared,
      limits: { bytes: config.limits.messageBytes, depth: config.limits.depth, keys: config.limits.keys },
      gate: gateOf(server),
      clock,
      log,
      eras: this.#eras,
      createTransport: spoken =>
        createTransport(server, owner, spoken, () => lane.isBusy || [...users].some(user => user.holds(server.id))),
      scrub,
      events: {
        notified: (method, params) => {
          berth.lists.changed(method, LISTS)
          // Invariant: what a server says of one principal's doings reaches no other, so where it is unknown whose they are, nobody.
          // Also of one who has gone: a server may still have something to say of what he did.
          if (server.shared && !FOR_ALL.has(method) && berth.owners.size > 1) return
          for (const user of users) user.notified(lane, method, params)
        },
        asked: ask => {
          // A shared lane declared no capability: there is no one whom the server could mean.
          const [user] = users
          if (session === undefined || user === undefined) return Promise.resolve(NOBODY)
          return user.asked(lane, ask)
        },
        opened: agreement => {
          const isFirst = !this.#met.has(server.id)
          noteOpened(server, agreement)
          this.#met.add(server.id)
          berth.agreed = agreement
          berth.lists.stale()
          // Whoever listed while the server was away has a stale list.
          if (reopened) for (const list of CHANGED) noteChanged(server, list)
          if (isFirst || reopened) for (const list of CHANGED) for (const user of users) user.notified(lane, list, undefined)
          for (const user of users) user.opened(berth)
          reopened = true
        },
        missed: () => {
          berth.lists.stale()
          for (const list of CHANGED) noteChanged(server, list)
          for (const list of CHANGED) for (const user of users) user.notified(lane, list, undefined)
        },
        definitionOf: async tool => {
          const found = await berth.lists.fetch(TOOLS, true)
          return isItems(found) ? found.find(item => item.string('name') === tool) : undefined
        },
        closed: (fault: TransportFault) => {
          // What one caller lacks says nothing of the server.
          if (fault.code !== 'upstream-credential') noteClosed(server, fault)
          berth.lists.stale()
          this.#restart(lane, berth, fault)
        },
      },
    })
    let reopened = false
    const compare = (kind: ListKind, before: Items, now: Items): void => {
      if (kind === TOOLS) for (const redefined of findRedefined(before, now)) noteRedefined(server, redefined)
    }
    const lists = new Listings(lane, clock, log, compare, method => FOR_ALL.has(method) && noteChanged(server, method))
    const berth: Berth = { lane, lists, users, key, agreed: undefined, owners: new Set() }
    return berth
  }
}

/** Not before the supervisor has counted the failure; it says how much longer to wait. */
const RESTART_MS = 50
const TOOLS = LISTS[0]!
const CHANGED = [...new Set(LISTS.map(list => list.changed))]
const FOR_ALL: ReadonlySet<string> = new Set([...CHANGED, 'notifications/resources/updated'])
const NO_BINDING: Binding = { principalId: '', session: undefined }
const NOBODY: Answer = errorAnswer('client-cannot')
