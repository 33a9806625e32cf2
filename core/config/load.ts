// Loads the config: flags over environment over file over defaults, every finding as data, every value with its origin.
import { hash } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import type { SecretFault } from '../secrets/value.ts'
import { type Assembled, assemble, type ConfigFlags } from './assemble.ts'
import { builtInPlugins } from './built-in.ts'
import { type Diagnostic, position } from './diagnostic.ts'
import { type ConfigParts, checkConfig, openConfig, resolvePlugin } from './file.ts'
import { collectInjected } from './injected.ts'
import { expandReferences } from './interpolate.ts'
import { type Environment, type Located, locateConfig } from './locate.ts'
import { type McpServers, readMcpServers } from './mcp-json.ts'
import type { Section } from './placed.ts'
import { defaults, type GatewayConfig, type InjectedSecret } from './schema.ts'
import { find, limits, type Source, toValue } from './tree.ts'

export interface LoadOptions {
  /** `--config`. */
  readonly file?: string | undefined
  /** `--mcp-json`: its servers stand in place of those of the file. */
  readonly mcpJson?: string | undefined
  /** `--plugin`, in order: stands in place of the list of the file; a plugin keeps the config that the file has for it. */
  readonly plugins?: readonly string[] | undefined
  readonly flags?: ConfigFlags
  readonly env: Environment
  readonly cwd: string
  /** Asked only for secrets that the config names. */
  getSecret(name: string, from: SecretsPlace): Promise<string | SecretFault | undefined>
  /** Built-in plugins that exist; a section that needs another one is reported as unenforced. */
  readonly known?: readonly string[]
}

/** Where secrets are kept: the folder of their files, or the command that prints them. */
export interface SecretsPlace {
  readonly dir: string
  readonly command?: readonly string[]
}

/** `digest`: `sha256:` and hex. */
export interface TextDigest {
  readonly file: string
  readonly digest: string
}

export interface Unenforced {
  readonly section: string
  readonly file: string
  readonly line: number
}

export interface Loaded extends Assembled {
  readonly ok: true
  /** Of the config file, as people wrote it; absent where there is none. */
  readonly file?: string
  /** Of the texts that were read, as they stand in the files, for the record. */
  readonly digests: readonly TextDigest[]
  readonly warnings: readonly Diagnostic[]
  readonly injected: readonly InjectedSecret[]
  /** There is no config: the demo servers behind the starter's plugins and policy. */
  readonly isStarter?: boolean
  /** What the file asks for and no loaded plugin enforces: `run` must not start. */
  readonly unenforced: readonly Unenforced[]
  /** A secret as it is now, from where those of the config came. */
  getSecret?(name: string): Promise<string | SecretFault | undefined>
  readonly env: Environment
  /** What relative paths start from. */
  readonly baseDir: string
}
export type LoadResult = Loaded | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

export { builtInPlugins } from './built-in.ts'

export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const { env, cwd, flags = {} } = options
  const located = await locateConfig(options.file, env, cwd)
  const diagnostics: Diagnostic[] = []
  const opened = located === undefined ? undefined : await openConfig(located.path, located.file)
  diagnostics.push(...(opened?.diagnostics ?? []))
  const place = await findSecrets(opened?.source, located, options)
  const from = { env, getSecret: (name: string) => options.getSecret(name, place) }

  let parts: ConfigParts | undefined
  if (opened?.source !== undefined && located !== undefined) {
    const checked = await checkConfig(opened.source, located.path, { ...from, allowsSecret: mayHoldSecret })
    diagnostics.push(...checked.diagnostics)
    parts = checked.parts
  }
  const mcp = options.mcpJson === undefined ? undefined : await loadMcpJson(resolve(cwd, options.mcpJson), options.mcpJson, from)
  diagnostics.push(...(mcp?.diagnostics ?? []))
  if (mcp !== undefined && parts !== undefined && parts.servers.length > 0) diagnostics.push(serversReplaced(parts))

  const baseDir = located === undefined ? cwd : dirname(located.path)
  const assembled = assemble({
    parts,
    mcp: mcp?.read,
    plugins: options.plugins?.map(name => resolvePlugin(name, cwd)),
    flags,
    env,
    cwd,
    baseDir,
  })
  diagnostics.push(...assembled.diagnostics)
  const broken = located !== undefined && parts === undefined
  const failed = options.mcpJson !== undefined && mcp?.read === undefined
  if (broken || failed || diagnostics.some(one => one.severity === 'error')) return { ok: false, diagnostics: tidy(diagnostics) }
  const sections = [...(parts?.sections ?? []), ...(mcp?.read?.sections ?? [])]
  return {
    ok: true,
    ...assembled.value,
    ...(located === undefined ? {} : { file: located.file }),
    digests: [opened?.source, mcp?.source, ...(parts?.documents ?? [])].flatMap(source => (source === undefined ? [] : [digestOf(source)])),
    warnings: tidy(diagnostics),
    injected: collectInjected(parts, mcp?.read),
    getSecret: from.getSecret,
    env,
    baseDir,
    unenforced: findUnenforced(sections, assembled.value.config, options.known ?? builtInPlugins),
  }
}

async function loadMcpJson(
  path: string,
  file: string,
  from: { env: Environment; getSecret(name: string): Promise<string | SecretFault | undefined> },
): Promise<{ read?: McpServers; source?: Source; diagnostics: readonly Diagnostic[] }> {
  const { source, diagnostics } = await openConfig(path, file)
  if (source === undefined) return { diagnostics }
  const read = await readMcpServers(source, { ...from, allowsSecret: path => path[1] === 'env' || path[1] === 'headers' }, dirname(path))
  return { read, source, diagnostics: [...diagnostics, ...read.diagnostics] }
}

function digestOf({ file, text }: Source): TextDigest {
  return { file, digest: `sha256:${hash('sha256', text, 'hex')}` }
}

// Invariant: arguments and URLs are seen by others, so secrets come only into what stays within a process or a request.
function mayHoldSecret(path: readonly (string | number)[]): boolean {
  if (path[0] === 'servers') {
    const within = path[2] === 'versions' ? path.slice(4) : path.slice(2)
    const [own, ...inner] = within[0] === 'instances' ? within.slice(2) : within
    return own === 'env' || own === 'headers' || (own === 'auth' && isProof(inner[1]))
  }
  if (path[0] === 'listen') return path[1] === 'tls' && path[2] === 'key'
  if (path[0] === 'metrics') return path[1] === 'token'
  if (path[0] === 'telemetry') return path[1] === 'headers'
  return (
    path[0] === 'auth' || (path[0] === 'store' && (path[1] === 'url' || path[1] === 'redis')) || (path[0] === 'plugins' && path.length > 2)
  )
}

function isProof(key: string | number | undefined): boolean {
  return key === 'clientId' || key === 'clientSecret' || key === 'privateKey'
}

// The place of secrets is itself part of the config: it is read first, from the two sections that may not hold secrets.
async function findSecrets(source: Source | undefined, located: Located | undefined, options: LoadOptions): Promise<SecretsPlace> {
  const baseDir = located === undefined ? options.cwd : dirname(located.path)
  const sections = source?.root.kind === 'map' ? source.root.entries.filter(({ key }) => key === 'store' || key === 'secrets') : []
  const pruned: Source = { file: '', text: source?.text ?? '', root: { kind: 'map', span: { start: 0, end: 0 }, entries: sections } }
  const expanded = await expandReferences(pruned, { env: options.env, getSecret: async () => undefined, allowsSecret: () => false })
  const { root } = expanded.source
  const dir = find(root, ['store', 'dir'])
  const fromFile =
    dir?.kind === 'scalar' && typeof dir.value === 'string' ? resolve(baseDir, dir.value) : resolve(baseDir, defaults.dataDir)
  const given = options.flags?.dataDir ?? options.env.MCPGW_DATA_DIR
  const data = given === undefined || given === '' ? fromFile : resolve(options.cwd, given)
  const command = find(root, ['secrets', 'command'])
  const words = command?.kind === 'list' ? (toValue(command) as unknown[]).filter(word => typeof word === 'string') : []
  const [program = '', ...args] = words
  if (program === '') return { dir: join(data, 'secrets') }
  return { dir: join(data, 'secrets'), command: [/[\\/]/.test(program) ? resolve(baseDir, program) : program, ...args] }
}

function findUnenforced(sections: readonly Section[], config: GatewayConfig, known: readonly string[]): Unenforced[] {
  const loaded = new Set(config.plugins.map(({ name }) => name).filter(name => known.includes(name)))
  return sections
    .filter(({ plugin }) => plugin === undefined || !loaded.has(plugin))
    .map(({ section, source, span }) => ({ section, file: source.file, line: position(source.text, span.start).line }))
}

function serversReplaced({ source, servers }: ConfigParts): Diagnostic {
  const message = `${servers.length} servers of ${source.file} are left out, as --mcp-json is given`
  return { code: 'servers-replaced', severity: 'warning', message, file: source.file }
}

// In the order of the text, each once; a broken machine-made file need not fill the screen.
function tidy(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const order = (one: Diagnostic): number => (one.line ?? 0) * 100_000 + (one.column ?? 0)
  const unique = new Map(diagnostics.map(one => [JSON.stringify([one.file, one.line, one.column, one.code, one.message]), one]))
  return [...unique.values()].sort((a, b) => (a.file === b.file ? order(a) - order(b) : 0)).slice(0, limits.diagnostics)
}
