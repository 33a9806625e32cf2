// Registers, changes and removes a server: checked as a whole, put on record, and only then stored; whatever is wrong changes nothing.
import { hash } from 'node:crypto'
import { versionsOf } from '../config/places.ts'
import { type BuiltServer, buildRegistered, type RegisteredFrom } from '../config/registered.ts'
import type { ConfiguredServer } from '../config/schema.ts'
import type { AdminEvent, JsonObject, Operator } from '../plugin/index.ts'
import { keyOf, type Registration, type RegistrationStore } from './store.ts'

export interface RegistrarParts extends RegisteredFrom {
  readonly store: Pick<RegistrationStore, 'read' | 'add' | 'replace' | 'remove'>
  /** Ids of servers of the config: nobody changes these here, and none passes for one. */
  ofConfig(): readonly string[]
  /** Some plugin says who callers are: without one nobody is of a tenant. */
  readonly authenticates: boolean
  /** Why plugins would not start with servers of these ids, as what they are told names one that is none. */
  misfit(servers: readonly string[]): string | undefined
  /** Resolves once it is durable; a rejection is that of the change. */
  record(event: AdminEvent): Promise<void>
  now(): number
}

export type Registered =
  | { readonly kind: 'done'; readonly id: string }
  | {
      readonly kind: 'refused'
      readonly code: 'invalid-arguments' | 'not-found' | 'conflict'
      readonly message: string
      readonly field?: string
    }

/** All of it rejects where the store cannot be reached or the change cannot be recorded: then it is not made. */
export interface Registrar {
  register(entry: JsonObject, by: Operator): Promise<Registered>
  /** `change`: from the entry that there is to the one that there is to be. */
  update(id: string, change: (before: JsonObject) => JsonObject, by: Operator): Promise<Registered>
  remove(id: string, by: Operator): Promise<Registered>
}

const MOST = 1000

export function createRegistrar(parts: RegistrarParts): Registrar {
  const { store, ofConfig, authenticates, misfit, record } = parts

  async function all(): Promise<readonly Registration[]> {
    return (await store.read())!.all
  }

  async function find(id: string): Promise<Registration | Registered> {
    const found = (await all()).find(one => one.id === id)
    if (found !== undefined) return found
    if (ofConfig().includes(id)) return refuse('conflict', `the server "${id}" stands in the config: change it there`, 'server')
    return refuse('not-found', 'no such server was registered', 'server')
  }

  async function build(entry: JsonObject): Promise<BuiltServer | Registered> {
    const built = await buildRegistered(entry, parts)
    if ('message' in built) return refuse('invalid-arguments', built.message, built.field)
    const closed = authenticates ? undefined : closedBy(built.server)
    if (closed !== undefined) return refuse('invalid-arguments', 'lets in nobody: no loaded plugin authenticates', closed)
    return built
  }

  /** Recorded before it is done; once more where somebody else was faster. */
  async function carryOut(event: AdminEvent, id: string, work: () => Promise<boolean>): Promise<Registered> {
    await record(event)
    if (await work()) return { kind: 'done', id }
    await record({ ...event, success: false })
    return refuse('conflict', `the server "${id}" was changed at the same time`)
  }

  return {
    async register(entry, by) {
      const built = await build(entry)
      if ('kind' in built) return built
      const { id } = built.server
      const twin = ofConfig().find(one => keyOf(one) === keyOf(id))
      if (twin !== undefined) return refuse('conflict', `the server "${twin}" stands in the config, which nobody may shadow`, 'id')
      const others = await all()
      const known = others.find(one => keyOf(one.id) === keyOf(id))
      if (known !== undefined) return refuse('conflict', `the server "${known.id}" was registered by ${known.by.id}`, 'id')
      if (others.length >= MOST) return refuse('conflict', `${MOST} servers were registered, and no more may be`)
      const odd = misfit([...ofConfig(), ...others.map(one => one.id), id])
      if (odd !== undefined) return refuse('conflict', odd, 'id')
      const detail = describe(built.server, entry)
      return carryOut({ type: 'server.register', actor: by, detail }, id, () => store.add({ id, entry, by, at: parts.now() }))
    },
    async update(id, change, by) {
      const before = await find(id)
      if ('kind' in before) return before
      const entry = { ...change(before.entry), id }
      const built = await build(entry)
      if ('kind' in built) return built
      const detail = describe(built.server, entry)
      return carryOut({ type: 'server.update', actor: by, detail }, id, () => store.replace({ id, entry, revision: before.revision }))
    },
    async remove(id, by) {
      const before = await find(id)
      if ('kind' in before) return before
      // Invariant: what is served now would start again: a step-up for this server must not be left without one.
      const odd = misfit([...ofConfig(), ...(await all()).map(one => one.id).filter(one => one !== id)])
      if (odd !== undefined) return refuse('conflict', `without it the gateway would not start again: ${odd}`, 'server')
      return carryOut({ type: 'server.remove', actor: by, detail: { server: id } }, id, () => store.remove(before))
    },
  }
}

function refuse(code: 'invalid-arguments' | 'not-found' | 'conflict', message: string, field?: string): Registered {
  return { kind: 'refused', code, message, ...(field !== undefined && { field }) }
}

/** What lets in only whom an authenticator knows. */
function closedBy(server: ConfiguredServer): string | undefined {
  if (server.tenants !== undefined) return 'tenants'
  if (server.kind !== 'versioned') return undefined
  const pinned = server.versions.findIndex(({ pins }) => Object.values(pins).some(names => names.length > 0))
  return pinned < 0 ? undefined : `versions.${pinned}.pins`
}

/** For the record: where it is, for whom, and a digest of all of it. */
function describe(server: ConfiguredServer, entry: JsonObject): JsonObject {
  const { id, kind, tenants } = server
  const all = versionsOf(server)
  const urls = all.flatMap(one => (one.kind === 'child' ? [] : (one.instances ?? [one]).map(({ url }) => url)))
  const commands = all.flatMap(one => (one.kind === 'child' ? [one.command] : []))
  return {
    server: id,
    kind,
    ...(server.kind === 'versioned' && { versions: server.versions.map(one => one.server.version ?? '') }),
    ...(urls.length > 0 && { origins: [...new Set(urls.map(url => new URL(url).origin))] }),
    ...(commands.length > 0 && (server.kind === 'child' ? { command: server.command } : { commands: [...new Set(commands)] })),
    ...(tenants !== undefined && { tenants }),
    digest: `sha256:${hash('sha256', JSON.stringify(entry), 'hex')}`,
  }
}
