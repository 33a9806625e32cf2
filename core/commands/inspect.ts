// What the servers of a config offer now, for commands that plugins bring: a gateway without plugins asks, so that nothing is recorded.

import { systemClock } from '../clock.ts'
import type { Loaded } from '../config/load.ts'
import { whichOf } from '../config/places.ts'
import type { ServerConfig } from '../config/schema.ts'
import { boot, checkPlugins, isBootFailure, tokens } from '../kernel.ts'
import type { CheckedPlugin } from '../loader.ts'
import { LISTS, type ListKind } from '../mcp/methods.ts'
import { Directory, type InspectedItem, type Inspection, type InspectOptions } from '../plugin/index.ts'
import type { Berth } from '../upstream/berth.ts'
import { isItems } from '../upstream/listing.ts'
import { openGateway } from './open-gateway.ts'
import { renderFindings } from './render-findings.ts'
import { openStores } from './stores.ts'
import type { VerbIo } from './verb.ts'
import { describe, quietLog } from './with-gateway.ts'

const STOP_MS = 3000

type Failed = { readonly failed: string }
type Asker = Pick<VerbIo, 'err' | 'color' | 'cwd' | 'version' | 'signal'>

export async function inspect(io: Asker, loaded: Loaded, { only }: InspectOptions = {}): Promise<Inspection | Failed> {
  const plugins = await checkPlugins(loaded.config.plugins, io.cwd)
  if ('findings' in plugins) return { failed: renderFindings(plugins.findings, loaded, io.color.err) }
  const who = await askDirectory(io, loaded, plugins)
  if ('failed' in who) return who
  const servers = await askServers(io, loaded, only)
  if ('failed' in servers) return servers
  return { servers, dischargers: plugins.flatMap(({ plugin }) => plugin.discharges ?? []), ...who }
}

type Who = Pick<Inspection, 'roles' | 'tenants'>

/** Boots the one plugin that knows who may come, where there is one. */
async function askDirectory(io: Asker, loaded: Loaded, checked: readonly CheckedPlugin[]): Promise<Who | Failed> {
  const { config } = loaded
  const at = checked.findIndex(({ plugin }) => plugin.provides?.some(({ id }) => id === Directory.id))
  if (at === -1) return { roles: [], tenants: [] }
  const log = quietLog(io, loaded)
  const kernel = await boot(
    { plugins: [config.plugins[at]!], limits: config.limits },
    {
      log,
      clock: systemClock,
      stores: await openStores(config.store, log),
      instance: { id: 'inspect', boot: 'inspect', version: io.version },
      dir: io.cwd,
    },
  )
  if (isBootFailure(kernel)) return { failed: renderFindings(kernel.findings, loaded, io.color.err) }
  const known = kernel.services.get(tokens.registry).find(Directory)?.known()
  await kernel.stop()
  return known ?? { roles: [], tenants: [] }
}

async function askServers(io: Asker, loaded: Loaded, only: readonly string[] | undefined): Promise<Inspection['servers'] | Failed> {
  const alone = { ...loaded, config: { ...loaded.config, plugins: [] } }
  const open = await openGateway({
    loaded: alone,
    version: io.version,
    log: quietLog(io, loaded),
    cwd: io.cwd,
    http: false,
    probe: false,
  })
  if ('findings' in open) return { failed: renderFindings(open.findings, loaded, io.color.err) }
  // What waits for a server is answered when the gateway stops.
  const stop = () => void open.gateway.pool.close()
  io.signal.addEventListener('abort', stop, { once: true })
  try {
    const { pool, views } = open.gateway
    const wanted = views.all.servers.filter(({ id }) => only?.includes(id) ?? true)
    return await Promise.all(wanted.map(async server => askServer(server, pool.berth(server, { principalId: '', session: undefined }))))
  } finally {
    io.signal.removeEventListener('abort', stop)
    await open.stop(STOP_MS)
  }
}

async function askServer({ id, version }: ServerConfig, { lists }: Berth): Promise<Inspection['servers'][number]> {
  const of = { id, ...whichOf({ version }) }
  const found: Record<ListKind['of'], InspectedItem[]> = { tools: [], resources: [], templates: [], prompts: [] }
  for (const kind of LISTS) {
    const items = await lists.fetch(kind)
    if (!isItems(items)) return { ...of, failed: `${kind.method}: ${describe(items.payload.value)}` }
    found[kind.of].push(...items.map(definition => ({ name: definition.string(kind.nameKey)!, definition })))
  }
  return { ...of, ...found }
}
