// The plugins that a command line can ask before any gateway stands: those of the package, and those that the config names.
import { builtInPlugins } from '../config/built-in.ts'
import type { AnyPlugin } from '../loader.ts'
import type { Surroundings, VerbIo } from './verb.ts'

export interface KnownPlugin {
  readonly plugin: AnyPlugin
  /** What the config calls it. */
  readonly entryName: string
}

/** The built-in plugins of these names. One that cannot be imported is told and left out. */
export async function importBuiltIns(names: readonly string[], around: Pick<Surroundings, 'err'>): Promise<KnownPlugin[]> {
  const found = await Promise.all(names.map(name => importPlugin(name, around)))
  return found.flatMap(plugin => (plugin === undefined ? [] : [{ plugin, entryName: plugin.name }]))
}

async function importPlugin(name: string, around: Pick<Surroundings, 'err'>): Promise<AnyPlugin | undefined> {
  const specifier = `mcpgw/plugins/${name}`
  try {
    return ((await import(/* @vite-ignore */ specifier)) as { default: AnyPlugin }).default
  } catch (error) {
    around.err(`warning[plugin-broken]: the plugin ${name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}\n`)
    return undefined
  }
}

/** Further plugins that the config names and that can be loaded. Undefined where the config does not load. */
export async function loadConfigured(around: Pick<VerbIo, 'options' | 'env' | 'cwd'>): Promise<KnownPlugin[] | undefined> {
  const [{ loadConfig }, { loadOptions }] = await Promise.all([import('../config/load.ts'), import('./load-for.ts')])
  const result = await loadConfig(loadOptions(around))
  if (!result.ok) return undefined
  const others = result.config.plugins.filter(({ name }) => !builtInPlugins.includes(name))
  if (others.length === 0) return []
  const { loadPlugin } = await import('../loader.ts')
  const loaded = await Promise.all(others.map(entry => loadPlugin(entry, around.cwd)))
  return loaded.flatMap((one, index) =>
    one.kind === 'loaded' ? [{ plugin: one.checked.plugin, entryName: others[index]?.name ?? '' }] : [],
  )
}
