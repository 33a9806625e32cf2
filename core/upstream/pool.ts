// All lanes: who shares one, who gets one of its own, and what is known of each server without asking it again.
import { placesOf, versionName } from '../config/places.ts'
import type { ServerConfig } from '../config/schema.ts'
import { Json } from '../mcp/json.ts'
import { type Berth, type Binding, isOf, keyOf, type LaneUser, ownLane } from './berth.ts'
import { type BerthOptions, CHANGED, createBerth } from './create-berth.ts'
import { createEras, type Eras } from './eras.ts'
import type { Agreement, LaneClient } from './handshake.ts'
import { createInstances, type Instances } from './instances.ts'
import { createRetired, type Retired } from './retired.ts'
import { KILLED, TAKEN_BACK } from './transport.ts'

export type { Berth, Binding, LaneUser } from './berth.ts'

export interface PoolOptions extends BerthOptions {
  readonly version: string
}

export class LanePool {
  readonly #options: PoolOptions
  readonly #berths = new Map<string, Berth>()
  /** Of servers that are not there any more, with calls under way. */
  readonly #retired: Retired
  /** Servers that any lane has been opened to. */
  readonly #met = new Set<string>()
  readonly #shared: LaneClient
  readonly #eras: Eras
  readonly #instances = new WeakMap<ServerConfig, Instances>()
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#eras = createEras(options.clock)
    this.#retired = createRetired(options.clock, options.log)
    this.#shared = { info: Json.of({ name: 'mcpgw', version: options.version }), capabilities: Json.of({}) }
  }

  get size(): number {
    return this.#berths.size
  }

  /** What the server has told this owner of itself, or else nobody in particular. Invariant: what it told another is for that one alone. */
  known(server: Pick<ServerConfig, 'id' | 'version'>, owner: string): Agreement | undefined {
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

  /** This user goes elsewhere; what is under way on the lane ends there. */
  quit(berth: Berth, user: LaneUser): void {
    if (berth.users.delete(user) && berth.users.size === 0) this.#retire(berth)
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

  /** A lane whose last user has gone is kept for a while; the one that no principal owns stays. */
  #retire(berth: Berth): void {
    const { server } = berth.lane
    if (server.timeout.idleMs === 0 || berth.key === ownLane(server, '')) return
    this.#options.clock.after(server.timeout.idleMs, () => {
      if (berth.users.size > 0 || this.#berths.get(berth.key) !== berth) return
      if (berth.lane.isBusy) return this.#retire(berth)
      this.#berths.delete(berth.key)
      berth.isRetired = true
      berth.lane.close().catch(error => this.#options.log.warn('lane did not close', { server: server.id, error: String(error) }))
    })
  }

  /** What `owner` may see of the server is not what it was. */
  changed(server: string, owner: string): void {
    for (const berth of this.#berths.values())
      if (isOf(berth, server, owner)) for (const list of CHANGED) for (const user of berth.users) user.notified(berth.lane, list, undefined)
  }

  /** This server is not there any more: its lanes take nothing new, and are closed once what is under way has ended. */
  retire(server: ServerConfig): Promise<void> {
    const name = versionName(server)
    this.#met.delete(name)
    const ending = [...this.#berths.values()].filter(({ lane }) => versionName(lane.server) === name)
    for (const berth of ending) {
      berth.isRetired = true
      this.#berths.delete(berth.key)
    }
    return this.#retired.add(ending, placesOf(server).map(this.#options.gateOf))
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

  /** What was shown to the server for `owner` was taken back: what is under way there in his name ends, and its connections. */
  async end(server: string, owner: string): Promise<void> {
    const lanes = [...this.#berths.values()].filter(berth => isOf(berth, server, owner))
    const leaving = this.#retired.all().filter(berth => isOf(berth, server, owner))
    await Promise.all([...lanes.map(({ lane }) => lane.drop(TAKEN_BACK)), ...leaving.map(({ lane }) => lane.close())])
  }

  /** An operator has killed the server, or this version of it: what is under way there ends, and so do its connections and processes. `name`: as `versionName` gives it. */
  async cut(name: string): Promise<void> {
    const lanes = [...this.#berths.values()].flatMap(({ lane }) => (versionName(lane.server) === name ? [lane] : []))
    const leaving = this.#retired.all().filter(({ lane }) => versionName(lane.server) === name)
    await Promise.all([...lanes.map(lane => lane.drop(KILLED)), ...leaving.map(({ lane }) => lane.close())])
  }

  /** It is lifted: who waits for what the server may say hears of it again. */
  restore(name: string): void {
    for (const { lane, users } of this.#berths.values()) if (versionName(lane.server) === name && users.size > 0) void lane.ready()
  }

  async close(): Promise<void> {
    this.#closed = true
    const berths = [...this.#berths.values()]
    this.#berths.clear()
    await Promise.all([this.#retired.close(), ...berths.map(berth => berth.lane.close())])
  }

  #create(server: ServerConfig, { principalId: owner, session }: Binding, key: string): Berth {
    const berth = createBerth(
      server,
      {
        key,
        client: session?.client,
        shared: this.#shared,
        owner,
        eras: this.#eras,
        instances: this.#instancesOf(server),
        isFirst: () => {
          const isFirst = !this.#met.has(versionName(server))
          this.#met.add(versionName(server))
          return isFirst
        },
        isWanted: () => this.#berths.get(key) === berth,
      },
      this.#options,
    )
    return berth
  }

  #instancesOf(server: ServerConfig): Instances | undefined {
    if (placesOf(server).length < 2) return undefined
    let instances = this.#instances.get(server)
    if (instances === undefined) {
      const { gateOf, clock, log } = this.#options
      instances = createInstances(server, gateOf, clock, log)
      this.#instances.set(server, instances)
    }
    return instances
  }
}

const NO_BINDING: Binding = { principalId: '', session: undefined }
