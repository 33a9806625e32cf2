// `mcpgw kill`: stops a tenant, a server or an API key on all gateways within a second, until it is lifted; and lists what is stopped.
import type { Loaded } from '../config/load.ts'
import { versionName, versionsOf } from '../config/places.ts'
import { detailOf, type Kill, type KillTarget } from '../kill/kills.ts'
import { findOperator } from '../operator.ts'
import { alignColumns, printable } from '../plugin/index.ts'
import type { RegistrationPlace } from '../registry/store.ts'
import { textOption, type VerbIo } from './verb.ts'
import { type AtStore, withKillStore } from './with-kill-store.ts'

const LONGEST = 500

/** 0 where it is so afterwards; 3 where it was not killed (`--lift`), or the store cannot be reached. */
export async function kill(io: VerbIo): Promise<number> {
  const wanted = readWords(io)
  if ('why' in wanted) {
    io.err(`error[usage]: ${wanted.why}\n  = help: mcpgw kill --help\n`)
    return 2
  }
  return withKillStore(io, at => {
    if (wanted.kind === 'list') return list(at, wanted.targets)
    return wanted.kind === 'lift' ? lift(at, wanted.target) : set(at, wanted.target, wanted.because)
  })
}

type Wanted =
  | { readonly kind: 'list'; readonly targets: readonly KillTarget[] }
  | { readonly kind: 'lift'; readonly target: KillTarget }
  | { readonly kind: 'set'; readonly target: KillTarget; readonly because: string | undefined }

function readWords(io: VerbIo): Wanted | { readonly why: string } {
  const [because, version] = [textOption(io, 'because'), textOption(io, 'version')]
  const targets = (['tenant', 'server', 'key'] as const).flatMap((kind): KillTarget[] => {
    const name = textOption(io, kind)
    if (name === undefined) return []
    return kind === 'server' && version !== undefined ? [{ kind: 'version', name: versionName({ id: name, version }) }] : [{ kind, name }]
  })
  for (const text of [...targets.map(({ name }) => name), ...(because === undefined ? [] : [because])])
    if (text === '' || text.length > LONGEST || /\p{Cc}/u.test(text))
      return { why: `expected a text of 1 to ${LONGEST} characters on one line, found ${JSON.stringify(text.slice(0, 50))}` }
  const [isList, isLift] = [io.options.list === true, io.options.lift === true]
  if (isList && (isLift || because !== undefined)) return { why: '--list goes with neither --lift nor --because' }
  if (isLift && because !== undefined) return { why: '--because says why something is killed; --lift takes none' }
  if (version !== undefined && !targets.some(({ kind }) => kind === 'version')) return { why: '--version goes with --server' }
  if (isList) return { kind: 'list', targets }
  const [target] = targets
  if (target === undefined || targets.length > 1) return { why: 'name one of --tenant, --server and --key' }
  // It would be kept in the open.
  if (target.kind === 'key' && target.name.startsWith('mgk_')) return { why: 'name the key by its id; mcpgw keys list shows it' }
  return isLift ? { kind: 'lift', target } : { kind: 'set', target, because }
}

async function set({ io, loaded, stores, store, record }: AtStore, target: KillTarget, because: string | undefined): Promise<number> {
  const { kind, name } = target
  const told = { ...target, ...(because !== undefined && { because }) }
  const isNew = await store.set({ ...told, at: Date.now(), by: findOperator() })
  const recorded = isNew && (await record('kill.set', detailOf(told)))
  if (io.json) io.out(`${JSON.stringify({ killed: told, was: !isNew, recorded }, null, 2)}\n`)
  else if (!isNew) io.err(`${kind} ${printable(name)} is killed already; \`mcpgw kill --list\` says since when.\n`)
  else io.err(`${kind} ${printable(name)} is killed. Gateways that run end what it has open within a second.\n`)
  if ((kind === 'server' || kind === 'version') && !isThere(loaded, target) && !(await isRegistered(loaded, stores, target)))
    io.err(`warning: ${loaded.config.registration === undefined ? 'this config names' : 'there is'} no ${kind} ${printable(name)}\n`)
  return 0
}

async function lift({ io, store, record }: AtStore, target: KillTarget): Promise<number> {
  const { kind, name } = target
  const was = await store.lift(target)
  const recorded = was && (await record('kill.lifted', detailOf(target)))
  if (io.json) io.out(`${JSON.stringify({ lifted: target, was, recorded }, null, 2)}\n`)
  else if (was) io.err(`${kind} ${printable(name)} is no longer killed. Gateways that run let it in within a second.\n`)
  else io.err(`${kind} ${printable(name)} was not killed; \`mcpgw kill --list\` shows what is.\n`)
  return was ? 0 : 3
}

async function list({ io, store }: AtStore, targets: readonly KillTarget[]): Promise<number> {
  const isAsked = (one: Kill): boolean => targets.length === 0 || targets.some(({ kind, name }) => kind === one.kind && name === one.name)
  const found = (await store.all()).filter(isAsked)
  if (io.json) {
    const kills = found.map(({ kind, name, at, by, because }) => ({
      kind,
      name,
      since: new Date(at).toISOString(),
      by: by.id,
      because: because ?? null,
    }))
    io.out(`${JSON.stringify({ kills }, null, 2)}\n`)
  } else if (found.length === 0) io.err('Nothing is killed.\n')
  else {
    const rows = found.map(({ kind, name, at, by, because }) => [kind, name, new Date(at).toISOString(), by.id, because ?? '-'])
    io.out(alignColumns([['KIND', 'NAME', 'SINCE', 'BY', 'BECAUSE'], ...rows]))
  }
  return 0
}

const isThere = ({ config }: Loaded, { kind, name }: KillTarget): boolean =>
  config.servers.some(server => (kind === 'server' ? server.id === name : versionsOf(server).some(one => versionName(one) === name))) ||
  (config.gateway !== undefined && name === 'gateway')

/** True also where it cannot be asked: then nobody is told that there is none. */
async function isRegistered({ config }: Loaded, stores: RegistrationPlace, { kind, name }: KillTarget): Promise<boolean> {
  if (config.registration === undefined) return false
  try {
    const { openRegistrationStore } = await import('../registry/store.ts')
    const store = await openRegistrationStore(stores)
    try {
      return (await store.read())!.all.some(({ id, entry: { version, versions } }) => {
        const labels = [version, ...(Array.isArray(versions) ? versions.map(one => (one as { readonly version?: unknown }).version) : [])]
        return kind === 'server'
          ? id === name
          : labels.some(label => typeof label === 'string' && versionName({ id, version: label }) === name)
      })
    } finally {
      await store.close()
    }
  } catch {
    return true
  }
}
