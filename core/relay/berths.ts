// Which lane a session has to a server: to the version that it is shown, and for what is still under way there, to those that it was shown before.
import { versionName } from '../config/places.ts'
import { laneOwner } from '../credentials/voice.ts'
import type { Session } from '../downstream/session.ts'
import type { Berth } from '../upstream/berth.ts'
import type { LanePool } from '../upstream/pool.ts'
import type { Views } from './view.ts'

export class Berths {
  readonly #pool: LanePool
  readonly #views: Pick<Views, 'find'>
  /** By id, those that are shown; by the names of versions, others. */
  readonly #berths = new WeakMap<Session, Map<string, Berth>>()

  constructor(pool: LanePool, views: Pick<Views, 'find'>) {
    this.#pool = pool
    this.#views = views
  }

  /** Without `version`, of the one that is shown now; undefined where there is no such server for this session. */
  of(session: Session, server: string, version?: string): Berth | undefined {
    let berths = this.#berths.get(session)
    if (berths === undefined) {
      berths = new Map()
      this.#berths.set(session, berths)
    }
    const latest = berths.get(server)
    // Invariant: never that of another version.
    const known = version === undefined || latest?.lane.server.version === version ? latest : undefined
    if (known !== undefined && !known.isRetired) return known
    const shown = session.view.servers.find(one => one.id === server)
    const isShown = version === undefined || shown?.version === version
    const key = isShown ? server : versionName({ id: server, version })
    const config = isShown ? shown : this.#views.find(server, version)
    const before = berths.get(key)
    // What is under way at a server that is not there any more ends where it began.
    if (config === undefined || (before !== undefined && !before.isRetired)) return before ?? known
    const own = session.declares ? { id: session.id, client: { info: session.info, capabilities: session.capabilities } } : undefined
    const binding = { principalId: laneOwner(config, session.principal), session: own }
    const berth = this.#pool.berth(config, binding, session.user)
    berths.set(key, berth)
    // A request may outlive its session; what it opened must not.
    if (session.ended) void this.#pool.leave(session.user, session.id)
    return berth
  }

  /** The session is shown other versions now: it hears no more of those that it was shown. */
  leave(session: Session): void {
    const berths = this.#berths.get(session)
    for (const { id, version } of session.view.servers) {
      const before = berths?.get(id)
      if (before === undefined || before.isRetired || before.lane.server.version === version) continue
      berths!.delete(id)
      berths!.set(versionName(before.lane.server), before)
      this.#pool.quit(before, session.user)
    }
  }
}
