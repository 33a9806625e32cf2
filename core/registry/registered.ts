// The registered servers as one gateway serves them beside those of its config: looked at several times a second, built anew where they changed.
import { buildRegistered, type RegisteredFrom } from '../config/registered.ts'
import type { ConfiguredServer, InjectedSecret } from '../config/schema.ts'
import type { Finding } from '../finding.ts'
import type { Health } from '../health.ts'
import { type Lookout, startLookout } from '../lookout.ts'
import type { Clock, Log } from '../plugin/index.ts'
import {
  keyOf,
  openRegistrationStore,
  type Registration,
  type RegistrationPlace,
  type RegistrationStore,
  type Registrations,
} from './store.ts'

export interface RegisteredParts extends RegisteredFrom {
  /** Those of the config. */
  readonly servers: readonly ConfiguredServer[]
  readonly log: Log
  /** Called before any of them is served. */
  learn(injected: readonly InjectedSecret[]): void
}

export interface RegisteredServers {
  readonly store: RegistrationStore
  /** Those of the config, then those that were registered. */
  readonly servers: readonly ConfiguredServer[]
  /** Those of the config alone. */
  readonly ofConfig: readonly ConfiguredServer[]
  /** As they were last read, the oldest first. */
  readonly all: readonly RegisteredServer[]
  /** One that is served. */
  find(id: string): Registration | undefined
  /** From here on changes are served, and looked for again and again. */
  watch(parts: WatchParts): void
  /** Reads now what has changed. Rejects where it cannot be read. */
  look(): Promise<void>
  /** What keeps these from being those of the config: an id that was registered. */
  refuse(next: readonly ConfiguredServer[]): Finding | undefined
  /** There are other servers in the config; secrets are read again. */
  rebase(next: readonly ConfiguredServer[]): Promise<void>
  stop(): Promise<void>
}

export interface WatchParts {
  readonly clock: Clock
  readonly health: Pick<Health, 'component'>
  serve(servers: readonly ConfiguredServer[]): void
}

export interface RegisteredServer {
  readonly registration: Registration
  readonly server?: ConfiguredServer
  /** Why it is not served. */
  readonly why?: string
}

const OF_CONFIG = 'the config has a server of this id'
const LOOK_MS = 250
const SILENT_MS = 2000

/** The finding where they cannot be read: what there is to serve is not known then. */
export async function openRegistered(stores: RegistrationPlace, parts: RegisteredParts): Promise<RegisteredServers | Finding> {
  let store: RegistrationStore | undefined
  try {
    store = await openRegistrationStore(stores)
    const registered = createRegistered(store, parts)
    await registered.look()
    return registered
  } catch (error) {
    await store?.close()
    return { code: 'registration-store', message: `the servers that were registered cannot be read: ${(error as Error).message}` }
  }
}

export function createRegistered(store: RegistrationStore, parts: RegisteredParts): RegisteredServers {
  const { log } = parts
  let ofConfig = parts.servers
  let version: number | undefined
  let entries: readonly RegisteredServer[] = []
  let watching: WatchParts | undefined
  let lookout: Lookout | undefined
  let isAway: string | undefined
  /** One after the other: an older answer never replaces a newer one. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  const isOfConfig = (id: string): boolean => ofConfig.some(server => keyOf(server.id) === keyOf(id))
  const all = (): readonly RegisteredServer[] =>
    entries.map(entry => (isOfConfig(entry.registration.id) ? { registration: entry.registration, why: OF_CONFIG } : entry))
  const served = (): readonly ConfiguredServer[] => [...ofConfig, ...all().flatMap(({ server }) => (server === undefined ? [] : [server]))]

  async function build(registration: Registration): Promise<RegisteredServer> {
    const built = await buildRegistered(registration.entry, parts)
    if ('message' in built) return { registration, why: built.field === undefined ? built.message : `${built.field}: ${built.message}` }
    parts.learn(built.injected)
    return { registration, server: built.server }
  }

  /** Of what did not change, what was built stays. */
  async function take({ version: now, all }: Registrations): Promise<void> {
    const known = new Map(entries.map(entry => [entry.registration.id, entry]))
    entries = await Promise.all(
      all.map(one => {
        const before = known.get(one.id)
        return before?.registration.revision === one.revision ? Promise.resolve(before) : build(one)
      }),
    )
    version = now
    tell()
  }

  function tell(): void {
    watching?.serve(served())
    const left = all().flatMap(({ registration: { id }, why }) => (why === undefined ? [] : [`${id}: ${why}`]))
    const why = [...(isAway === undefined ? [] : [isAway]), ...left].join('; ')
    watching?.health.component('registration').set(why === '' ? undefined : { status: 'degraded', why })
    for (const one of left) if (!told.has(one)) log.error('a registered server is left out', { why: one })
    told = new Set(left)
  }
  let told: ReadonlySet<string> = new Set()

  return {
    store,
    get servers() {
      return served()
    },
    get ofConfig() {
      return ofConfig
    },
    get all() {
      return all()
    },
    find: id => all().find(({ registration, server }) => registration.id === id && server !== undefined)?.registration,
    watch(given) {
      watching = given
      tell()
      lookout = startLookout({
        clock: given.clock,
        everyMs: LOOK_MS,
        silentMs: SILENT_MS,
        ask: () => inTurn(async () => read()),
        there() {
          if (isAway === undefined) return
          log.info('the servers that were registered can be read again')
          isAway = undefined
          tell()
        },
        gone(error) {
          if (isAway === undefined)
            log.warn('the servers that were registered cannot be read; those that are known stay', { error: String(error) })
          isAway = `the servers that were registered cannot be read: ${error instanceof Error ? error.message : String(error)}`
          tell()
        },
      })
    },
    look: () => inTurn(read),
    refuse(next) {
      const taken = entries.find(({ registration: { id } }) => next.some(server => keyOf(server.id) === keyOf(id)) && !isOfConfig(id))
      if (taken === undefined) return undefined
      const { id, by, at } = taken.registration
      return {
        code: 'server-registered',
        message: `a server "${id}" was registered by ${by.id} at ${new Date(at).toISOString()}`,
        help: `mcpgw servers remove ${id}, or give the server of the config another id`,
        path: ['servers', next.findIndex(server => keyOf(server.id) === keyOf(id)), 'id'],
      }
    },
    rebase: next =>
      inTurn(async () => {
        entries = await Promise.all(entries.map(({ registration }) => build(registration)))
        ofConfig = next
        tell()
      }),
    async stop() {
      lookout?.stop()
      await store.close()
    },
  }

  async function read(): Promise<void> {
    const now = await store.read(version)
    if (now !== undefined) await take(now)
  }
}
