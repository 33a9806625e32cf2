// Puts the config together from its parts, and keeps for every value where it came from.
import { resolve } from 'node:path'
import { type Diagnostic, type DiagnosticCode, position } from './diagnostic.ts'
import { readDuration } from './duration.ts'
import type { ConfigParts } from './file.ts'
import type { UsedReference } from './interpolate.ts'
import { parseAddress } from './listen.ts'
import type { Environment } from './locate.ts'
import type { McpServers } from './mcp-json.ts'
import type { Place, PlacedPlugin } from './placed.ts'
import { withPolicies } from './policies.ts'
import { buildRegistration } from './registration-shape.ts'
import { defaults, type GatewayConfig, type LimitsConfig, type ListenConfig, type LogLevel, type PluginEntry } from './schema.ts'
import { buildServer } from './servers.ts'
import type { FileShape, LimitsShape } from './shape.ts'
import { buildTelemetry } from './telemetry-shape.ts'
import { buildTls } from './tls-shape.ts'
import { spanOf } from './tree.ts'

/** Values of command line flags that also stand in the file. */
export interface ConfigFlags {
  /** `--http`. */
  readonly listen?: string | undefined
  readonly dataDir?: string | undefined
  readonly log?: string | undefined
  /** `--observe`: policies are decided and reported, not enforced. */
  readonly observe?: boolean | undefined
}

export interface Assembled {
  readonly config: GatewayConfig
  /** Config path (`listen`, `store.dir`, `servers.0`) to the flag, variable or place of a text that set it; what is absent is a default. */
  readonly origins: ReadonlyMap<string, Origin>
}
export type Origin = { readonly kind: 'flag' | 'variable'; readonly name: string } | PlaceOrigin
/** `renamed`: keys of the config to the keys of the text. */
export type PlaceOrigin = Place & { readonly kind: 'text'; readonly renamed?: Readonly<Record<string, string>> }

interface Inputs {
  readonly parts: ConfigParts | undefined
  readonly mcp: McpServers | undefined
  readonly plugins: readonly string[] | undefined
  readonly flags: ConfigFlags
  readonly env: Environment
  readonly cwd: string
  readonly baseDir: string
}

export function assemble(inputs: Inputs): { value: Assembled; diagnostics: Diagnostic[] } {
  const { parts, mcp, flags, cwd, baseDir } = inputs
  const shape: FileShape = parts?.shape ?? {}
  const origins = new Map<string, Origin>()
  const diagnostics: Diagnostic[] = []
  const refuse = (code: DiagnosticCode, file: string, message: string): void => {
    diagnostics.push({ code, severity: 'error', message, file })
  }
  const source = parts?.source
  const entries = source?.root.kind === 'map' ? source.root.entries.map(({ key }) => key) : []
  for (const key of entries) {
    if (source === undefined || key === 'plugins') continue
    // The older shape has host and port at the top.
    if (key === 'host' || key === 'port') origins.set(`listen.${key}`, { kind: 'text', source, path: [key] })
    else if (shape[key as keyof FileShape] !== undefined) origins.set(key, { kind: 'text', source, path: [key] })
  }
  // What stands over the file: the flag, else the variable.
  const override = (
    keys: readonly string[],
    flag: 'listen' | 'dataDir' | 'log',
    flagName: string,
    variable: string,
  ): { text: string; from: string } | undefined => {
    const text = inputs.flags[flag]
    const value = inputs.env[variable]
    if (text === undefined && (value === undefined || value === '')) return undefined
    const origin: Origin = text === undefined ? { kind: 'variable', name: variable } : { kind: 'flag', name: flagName }
    for (const key of keys) origins.set(key, origin)
    return { text: text ?? value ?? '', from: text === undefined ? variable : flagName }
  }

  const log = override(['log'], 'log', '--log', 'MCPGW_LOG')
  const levels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent']
  if (log !== undefined && !levels.includes(log.text))
    refuse('bad-value', log.from, `expected one of ${levels.join(', ')}, found "${log.text}"`)
  const dataDir = override(['store.dir'], 'dataDir', '--data-dir', 'MCPGW_DATA_DIR')
  const listen = buildListen(shape.listen, baseDir, parts?.used ?? [])
  const address = override(['listen.host', 'listen.port'], 'listen', '--http', 'MCPGW_LISTEN')
  const parsed = address === undefined ? {} : parseAddress(address.text)
  if (parsed === undefined) refuse('bad-value', address?.from ?? '', `not HOST:PORT: "${address?.text}"`)

  const servers = mcp?.servers ?? parts?.servers ?? []
  for (const [index, { source, path }] of servers.entries()) origins.set(`servers.${index}`, { kind: 'text', source, path })
  const plugins = choosePlugins(parts?.plugins ?? [], inputs.plugins)
  for (const [index, { placed, flag }] of plugins.entries()) {
    if (placed !== undefined) origins.set(`plugins.${index}.name`, { kind: 'text', source: placed.source, path: placed.path })
    if (flag) origins.set(`plugins.${index}.name`, { kind: 'flag', name: '--plugin' })
    const renamed = placed?.renamed === undefined ? {} : { renamed: placed.renamed }
    if (placed !== undefined) origins.set(`plugins.${index}.config`, { kind: 'text', source: placed.source, path: placed.path, ...renamed })
  }
  const at = plugins.findIndex(({ entry }) => entry.name === 'policy')
  if (at >= 0) {
    const set = (key: string, origin: Origin): void => void origins.set(`plugins.${at}.config.${key}`, origin)
    for (const index of (shape.policies ?? []).keys())
      if (source !== undefined) set(`files.${index}`, { kind: 'text', source, path: ['policies', index] })
    if (flags.observe === true) set('mode', { kind: 'flag', name: '--observe' })
  }
  const config: GatewayConfig = {
    listen: { ...listen, ...parsed },
    servers: servers.map(buildServer),
    plugins: plugins.map(({ entry }) => withPolicies(entry, { files: shape.policies ?? [], baseDir, observe: flags.observe })),
    policies: shape.policies ?? [],
    store: {
      dir: dataDir === undefined ? (shape.store?.dir ?? resolve(baseDir, defaults.dataDir)) : resolve(cwd, dataDir.text),
      ...defined({ url: shape.store?.url, redis: shape.store?.redis }),
    },
    secrets: shape.secrets?.command === undefined ? {} : { command: shape.secrets.command },
    limits: buildLimits(shape.limits),
    names: shape.names ?? defaults.names,
    refusals: shape.refusals ?? defaults.refusals,
    metrics: defined({ token: shape.metrics?.token }),
    ...(shape.telemetry !== undefined && { telemetry: buildTelemetry(shape.telemetry) }),
    log: (log?.text as LogLevel | undefined) ?? shape.log ?? defaults.log,
    ...(shape.registration !== undefined && { registration: buildRegistration(shape.registration) }),
    ...(shape.gateway !== undefined && { gateway: { tools: shape.gateway.tools, operators: shape.gateway.operators ?? [] } }),
  }
  return { value: { config, origins }, diagnostics }
}

function buildListen(given: FileShape['listen'], baseDir: string, used: readonly UsedReference[]): ListenConfig {
  if (typeof given !== 'object') return { ...defaults.listen, ...parseAddress(String(given ?? '')) }
  const { tls, connections, ...plain } = given
  const key = used.find(({ kind, path }) => kind === 'secret' && path.join('.') === 'listen.tls.key')?.name
  return {
    ...defaults.listen,
    ...defined(plain),
    connections: { ...defaults.listen.connections, ...defined(connections ?? {}) },
    ...(tls !== undefined && { tls: buildTls(tls, key, baseDir, path => resolve(baseDir, path)) }),
  }
}

function choosePlugins(
  placed: readonly PlacedPlugin[],
  flags: readonly string[] | undefined,
): { entry: PluginEntry; placed: PlacedPlugin | undefined; flag: boolean }[] {
  const entryOf = (one: PlacedPlugin): PluginEntry => {
    const start = spanOf(one.source.root, one.path).start
    const failure = one.failure === undefined ? {} : { failure: one.failure }
    return { name: one.name, config: one.config, ...failure, at: { file: one.source.file, ...position(one.source.text, start) } }
  }
  if (flags === undefined || flags.length === 0) return placed.map(one => ({ entry: entryOf(one), placed: one, flag: false }))
  return flags.map(name => {
    const known = placed.find(one => one.name === name)
    return { entry: known === undefined ? { name, config: {} } : entryOf(known), placed: known, flag: true }
  })
}

// A key whose value is undefined would hide the default.
function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

function buildLimits({ overload = {}, ...plain }: LimitsShape = {}): LimitsConfig {
  const { lagMs, heap, pending } = defaults.limits.overload
  return {
    ...defaults.limits,
    ...defined(plain),
    overload: {
      lagMs: readDuration(overload.lag, lagMs),
      heap: overload.heap ?? heap,
      pending: overload.pending ?? pending,
    },
  }
}
