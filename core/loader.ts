// From a name in the config to a checked plugin with a checked config: a built-in, a file, or an installed package. Never downloads.
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SourcePosition } from './config/schema.ts'
import type { Finding } from './finding.ts'
import { describeError } from './guard.ts'
import { checkCapabilities, checkPluginShape } from './loader/check.ts'
import { type Location, locate } from './loader/locate.ts'
import { type PluginOrigin, readOrigin } from './loader/origin.ts'
import type { Capability, Plugin, StandardIssue } from './plugin/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: the type of a plugin's config is its own affair
export type AnyPlugin = Plugin<any>

/** One entry of the ordered list. */
export interface PluginEntry {
  /** Built-in name, path, or package; the name of the plugin where `plugin` is given. */
  readonly name: string
  readonly config: unknown
  readonly at?: SourcePosition | undefined
  /** `open`: a failure counts as a pass; for plugins that can do nothing. Default `closed`. */
  readonly failure?: 'open' | 'closed' | undefined
  /** The plugin itself, where it need not be looked for (tests, embedding). */
  readonly plugin?: AnyPlugin | undefined
}

export interface CheckedPlugin {
  readonly plugin: Plugin
  /** As the plugin's schema returned it. */
  readonly config: unknown
  readonly capabilities: ReadonlySet<Capability>
  readonly failure: 'open' | 'closed'
  readonly source: Exclude<Location['kind'], 'nowhere'> | 'given'
  readonly origin: PluginOrigin
  readonly at: SourcePosition | undefined
  /** Milliseconds for finding, importing and checking it. */
  readonly ms: number
}

export type Loaded =
  | { readonly kind: 'loaded'; readonly checked: CheckedPlugin }
  | { readonly kind: 'refused'; readonly findings: readonly Finding[] }

/** Paths and packages are looked for beside the config file, then in `dir`. */
export async function loadPlugin(entry: PluginEntry, dir: string): Promise<Loaded> {
  const started = performance.now()
  const found = await findPlugin(entry, dir)
  if ('findings' in found) return found
  const { plugin, source, origin } = found
  const blame = (code: Finding['code'], message: string, more: Partial<Finding> = {}): Finding => ({
    code,
    plugin: plugin.name,
    message,
    at: entry.at,
    ...more,
  })
  const checked = await checkConfig(plugin, entry.config ?? {})
  if ('issues' in checked) {
    return refused(
      checked.issues.map(({ message, path }) => blame('plugin-config', `${plugin.name}: ${message}`, { path: plainPath(path) })),
    )
  }
  const capabilities = checkCapabilities(plugin, checked.value)
  if (typeof capabilities === 'string') return refused([blame('plugin-shape', `${plugin.name}: ${capabilities}`)])
  const failure = entry.failure ?? 'closed'
  if (failure === 'open' && (capabilities.size > 0 || (plugin.discharges ?? []).length > 0)) {
    const can = [...capabilities, ...(plugin.discharges ?? []).map(name => `discharges ${name}`)].join(', ')
    return refused([blame('failure-open', `${plugin.name} may not fail open: ${can}`, { help: 'take out "failure: open"' })])
  }
  return {
    kind: 'loaded',
    checked: { plugin, config: checked.value, capabilities, failure, source, origin, at: entry.at, ms: performance.now() - started },
  }
}

type Found =
  | { readonly plugin: Plugin; readonly source: CheckedPlugin['source']; readonly origin: PluginOrigin }
  | Extract<Loaded, { kind: 'refused' }>

async function findPlugin(entry: PluginEntry, dir: string): Promise<Found> {
  const { name, at } = entry
  const shape = (candidate: unknown, source: CheckedPlugin['source'], origin: PluginOrigin, wanted?: string): Found => {
    const why = checkPluginShape(candidate, wanted)
    return why === undefined
      ? { plugin: candidate as Plugin, source, origin }
      : refused([{ code: 'plugin-shape', plugin: name, message: `${name}: ${why}`, at }])
  }
  if (entry.plugin !== undefined) return shape(entry.plugin, 'given', {})
  const dirs = [...(at === undefined ? [] : [dirname(at.file)]), dir]
  const location = locate(name, dirs)
  if (location.kind === 'nowhere') {
    const looked = `looked for ${location.looked.join(', ')}`
    const help = location.near === undefined ? looked : `did you mean ${location.near}? ${looked}`
    return refused([{ code: 'plugin-not-found', plugin: name, message: `there is no plugin ${JSON.stringify(name)}`, help, at }])
  }
  try {
    // Before it is imported: whoever changes the file in between must not be the one whose digest is told.
    const origin = location.kind === 'built-in' ? {} : readOrigin(location.file)
    const target = location.kind === 'built-in' ? location.specifier : pathToFileURL(location.file).href
    const module = (await import(/* @vite-ignore */ target)) as { default?: unknown }
    return shape(module.default, location.kind, origin, location.kind === 'built-in' ? name : undefined)
  } catch (error) {
    const help = location.kind === 'built-in' ? 'this is a bug of the gateway' : `it was found at ${location.file}`
    return refused([
      { code: 'plugin-broken', plugin: name, message: `${name} could not be loaded: ${firstLine(describeError(error))}`, help, at },
    ])
  }
}

async function checkConfig(
  plugin: Plugin,
  config: unknown,
): Promise<{ readonly value: unknown } | { readonly issues: readonly StandardIssue[] }> {
  try {
    const result = await plugin.config['~standard'].validate(config)
    if (result.issues !== undefined)
      return { issues: result.issues.length > 0 ? result.issues : [{ message: 'the config is refused without a reason' }] }
    return { value: result.value }
  } catch (error) {
    return { issues: [{ message: `the check of the config threw: ${firstLine(describeError(error))}` }] }
  }
}

function plainPath(path: StandardIssue['path']): readonly (string | number)[] {
  return (path ?? []).map(part => {
    const key = typeof part === 'object' ? part.key : part
    return typeof key === 'symbol' ? String(key) : key
  })
}

function refused(findings: readonly Finding[]): Extract<Loaded, { kind: 'refused' }> {
  return { kind: 'refused', findings }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
