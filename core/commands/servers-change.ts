// `mcpgw servers add|update|remove`: what operators register beside the config, in the store that gateways look at, whether one runs or not.
import { resolve } from 'node:path'
import type { Loaded } from '../config/load.ts'
import { renderDiagnostics } from '../config/render.ts'
import { toValue } from '../config/tree.ts'
import { createLog } from '../log.ts'
import { findOperator } from '../operator.ts'
import { type AdminEvent, type JsonObject, type Operator, printable, Recording } from '../plugin/index.ts'
import { createRegistrar, type Registered, type Registrar } from '../registry/registrar.ts'
import { openRegistrationStore, type RegistrationStore } from '../registry/store.ts'
import { isStoreAnswer } from '../store/fault.ts'
import { checkPlugins } from './check-plugins.ts'
import { loadFor } from './load-for.ts'
import { misfitOf } from './reach.ts'
import { createVerbRecord, type VerbRecord } from './record.ts'
import { registeredFrom } from './registering.ts'
import { openStores } from './stores.ts'
import { listOption, textOption, type VerbIo } from './verb.ts'

type Work = (registrar: Registrar, by: Operator) => Promise<Registered>

/** 0 where it is so afterwards; 2 where the entry does not fit or nobody may register; 3 where the id is taken or not there, or the store cannot be reached. */
export const addServer = (io: VerbIo): Promise<number> =>
  withEntry(io, 'registered', (id, given) => (registrar, by) => registrar.register({ ...given.entry, id }, by))

export const updateServer = (io: VerbIo): Promise<number> =>
  withEntry(io, 'updated', (id, { entry, isWhole }) => (registrar, by) => {
    return registrar.update(id, before => (isWhole ? entry : { ...before, ...entry }), by)
  })

export const removeServer = (io: VerbIo): Promise<number> => carryOut(io, 'removed', (registrar, by) => registrar.remove(idOf(io), by))

const idOf = (io: VerbIo): string => String(io.args[0])

interface Given {
  readonly entry: JsonObject
  /** It came from a file, and is all that there is to be. */
  readonly isWhole: boolean
}

async function withEntry(io: VerbIo, done: Done, workOf: (id: string, given: Given) => Work): Promise<number> {
  const given = await readEntry(io)
  if (typeof given === 'string') {
    io.err(given)
    return 2
  }
  return carryOut(io, done, workOf(idOf(io), given))
}

/** A text says what is wrong. */
async function readEntry(io: VerbIo): Promise<Given | string> {
  const headers: Record<string, string> = {}
  for (const header of listOption(io, 'header') ?? []) {
    const [, name = '', value = ''] = /^([^:\s]+):\s*(.*)$/.exec(header) ?? []
    if (name === '') return `error[usage]: expected --header "NAME: VALUE", found ${JSON.stringify(header.slice(0, 50))}\n`
    headers[name] = value
  }
  const [url, description, owner] = ['url', 'description', 'owner'].map(name => textOption(io, name))
  const [tags, tenants] = ['tag', 'tenant'].map(name => listOption(io, name))
  const flags: JsonObject = {
    ...(url !== undefined && { url }),
    ...(description !== undefined && { description }),
    ...(owner !== undefined && { owner }),
    ...(tags !== undefined && { tags }),
    ...(tenants !== undefined && { tenants }),
    ...(Object.keys(headers).length > 0 && { headers }),
  }
  const from = textOption(io, 'from')
  if (from === undefined) return { entry: flags, isWhole: false }
  const { openConfig } = await import('../config/file.ts')
  const { source, diagnostics } = await openConfig(resolve(io.cwd, from), from)
  if (source === undefined || diagnostics.length > 0) return renderDiagnostics(diagnostics, io.color.err)
  const value = toValue(source.root)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `error[usage]: ${printable(from)}: expected one server as it would stand under \`servers\`, found ${Array.isArray(value) ? 'a list' : 'no map'}\n`
  return { entry: { ...(value as JsonObject), ...flags }, isWhole: true }
}

type Done = 'registered' | 'updated' | 'removed'

const SAID: Readonly<Record<Done, string>> = {
  registered: 'is registered. Gateways that run serve it within a second.',
  updated: 'was changed. Gateways that run serve it so within a second.',
  removed: 'is no longer registered. Gateways that run send nothing new there within a second.',
}

async function carryOut(io: VerbIo, done: Done, work: Work): Promise<number> {
  const loaded = await loadFor(io)
  if (loaded === 2) return 2
  if (loaded.config.registration === undefined) {
    io.err('error[registration]: the config has no `registration`, so that nobody may register servers\n  = help: registration: {}\n')
    return 2
  }
  return withRegistrar(io, loaded, async registrar => tell(io, done, await work(registrar, findOperator())))
}

function tell(io: VerbIo, done: Done, result: Registered): number {
  if (result.kind === 'done') {
    if (io.json) io.out(`${JSON.stringify({ [done]: result.id }, null, 2)}\n`)
    else io.err(`server ${printable(result.id)} ${SAID[done]}\n`)
    return 0
  }
  const { code, message, field } = result
  if (io.json) io.out(`${JSON.stringify({ error: code, message, field: field ?? null }, null, 2)}\n`)
  io.err(`error[${code}]: ${field === undefined ? '' : `${printable(field)}: `}${printable(message)}\n`)
  return code === 'invalid-arguments' ? 2 : 3
}

async function withRegistrar(io: VerbIo, loaded: Loaded, work: (registrar: Registrar) => Promise<number>): Promise<number> {
  const { config } = loaded
  const log = createLog({ level: config.log === 'info' ? 'warn' : config.log, write: line => io.err(line) })
  const stores = await openStores(config.store, log)
  const recording = createVerbRecord(loaded, { stores, log, cwd: io.cwd, version: io.version })
  let store: RegistrationStore | undefined
  try {
    const { plugins, loaded: checked } = await checkPlugins(config.plugins, io.cwd, loaded.origins)
    store = await openRegistrationStore(stores)
    return await work(
      createRegistrar({
        ...registeredFrom(loaded)!,
        store,
        ofConfig: () => config.servers.map(({ id }) => id),
        authenticates: plugins.some(({ capabilities }) => capabilities.includes('authenticates')),
        misfit: ids => misfitOf(checked, config, ids),
        record: event => recordOrFail(recording, event),
        now: Date.now,
      }),
    )
  } catch (error) {
    if (!isStoreAnswer(error) && !(error instanceof NotRecorded)) throw error
    io.err(`error[${error instanceof NotRecorded ? 'not-recorded' : 'registration-store'}]: ${error.message}\n`)
    return 3
  } finally {
    await store?.close()
    await recording.close()
  }
}

class NotRecorded extends Error {}

/** What a recorder does not take is not done; where the config has none, nothing is on record. */
async function recordOrFail(recording: VerbRecord, event: AdminEvent): Promise<void> {
  if (await recording.event(event)) return
  const recorder = await recording.find(Recording).catch(() => 'broken')
  if (recorder !== undefined) throw new NotRecorded('the change cannot be recorded, and is not made')
}
