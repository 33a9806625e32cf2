// What operators have killed and what is to begin anew, as a gateway knows it: read before it starts, looked at several times a second, and carried out on what is open.
import { versionName } from '../config/places.ts'
import type { ServerConfig } from '../config/schema.ts'
import type { Finding } from '../finding.ts'
import type { Health } from '../health.ts'
import { type Lookout, startLookout } from '../lookout.ts'
import type { Clock, Log, PluginContext } from '../plugin/index.ts'
import type { Gate } from '../upstream/gate.ts'
import { indexKills, type Kill, type Kills } from './kills.ts'
import { type KillPlace, type KillStore, openKillStore, type Restart } from './store.ts'

export interface KillSwitch {
  /** As it was last read: where it cannot be read any more, what was known stays. */
  readonly now: Kills
  /** Where all gateways look. */
  readonly store: Pick<KillStore, 'all' | 'set' | 'lift' | 'restart'>
  /** Shuts what is killed by now. Before any server is reached. */
  carryOut(reach: Reached): void
  /** From here on it is looked at again and again. */
  watch(parts: WatchParts): void
  stop(): Promise<void>
}

/** What a kill is carried out on. */
export interface Reached {
  /** Those that there are now. */
  servers(): readonly { readonly server: ServerConfig; readonly gate: Pick<Gate, 'shut' | 'isShut'> }[]
  /** Callers of versions that are killed, or no longer, are given theirs anew. */
  reassign(): void
  /** By id, or by id and version. */
  readonly pool: { cut(server: string): Promise<void>; restore(server: string): void }
  expel: PluginContext['expel']
  /** By its id: new connections and processes in place of those it has, which go once nothing is under way there. False where there is none. */
  restart(server: string): boolean
}

export interface WatchParts {
  readonly clock: Clock
  readonly log: Log
  readonly health: Pick<Health, 'component'>
}

const LOOK_MS = 250
const SILENT_MS = 2000

/** The finding where it cannot be read: what may run is not known then. */
export async function openKillSwitch(stores: KillPlace): Promise<KillSwitch | Finding> {
  let store: KillStore | undefined
  try {
    store = await openKillStore(stores)
    return createKillSwitch(store, await read(store))
  } catch (error) {
    await store?.close()
    return { code: 'kill-store', message: `what operators have killed cannot be read: ${(error as Error).message}` }
  }
}

interface Read {
  readonly kills: readonly Kill[]
  readonly restarts: readonly Restart[]
}

const read = async (store: KillStore): Promise<Read> => ({ kills: await store.all(), restarts: await store.restarts() })

function createKillSwitch(store: KillStore, { kills, restarts }: Read): KillSwitch {
  let now = indexKills(kills)
  // What was wanted before this gateway started is so.
  const restartedAt = new Map(restarts.map(({ server, at }) => [server, at]))
  let reached: Reached | undefined
  let lookout: Lookout | undefined

  function carryOut({ servers, pool, expel, reassign }: Reached, log?: Log): void {
    const changed = servers().filter(({ server, gate }) => gate.isShut !== (now.refuseServer(server) !== undefined))
    for (const { gate } of changed) gate.shut(!gate.isShut)
    // Before anything ends: whoever comes back at once finds another version.
    if (changed.length > 0) reassign()
    for (const [name, { server, gate }] of new Map(changed.map(one => [versionName(one.server), one]))) {
      const { id, version } = server
      const about = { server: id, version }
      log?.warn(gate.isShut ? 'server is killed by an operator' : 'server is no longer killed', about)
      if (gate.isShut) pool.cut(name).catch(error => log?.error('bug: a killed server was not ended', { ...about, error: String(error) }))
      else pool.restore(name)
    }
    if (!now.all.some(({ kind }) => kind !== 'server')) return
    // At each look: a request that was let in just before shows up a little later.
    const ended = expel(principal => now.refuseCaller(principal) !== undefined)
    if (ended.sessions + ended.requests > 0) log?.warn('what killed tenants and keys had open has been ended', { ...ended })
  }

  function restart(all: readonly Restart[], log: Log): void {
    for (const { server, at } of all) {
      if (restartedAt.get(server) === at) continue
      restartedAt.set(server, at)
      if (reached?.restart(server)) log.warn('server begins anew, as an operator wants', { server })
    }
  }

  return {
    store,
    get now() {
      return now
    },
    carryOut(to) {
      reached = to
      carryOut(to)
    },
    watch({ clock, log, health }) {
      const component = health.component('kill')
      let isAway = false
      lookout = startLookout({
        clock,
        everyMs: LOOK_MS,
        silentMs: SILENT_MS,
        ask: () => read(store),
        there({ kills, restarts }) {
          now = indexKills(kills)
          if (isAway) log.info('what operators have killed can be read again')
          isAway = false
          component.set(undefined)
          if (reached !== undefined) carryOut(reached, log)
          restart(restarts, log)
        },
        gone(error) {
          const why = `what operators have killed cannot be read: ${error instanceof Error ? error.message : String(error)}`
          component.set({ status: 'degraded', why })
          if (!isAway) log.warn('what operators have killed cannot be read; what was known stays', { error: String(error) })
          isAway = true
        },
      })
    },
    async stop() {
      lookout?.stop()
      await store.close()
    },
  }
}
