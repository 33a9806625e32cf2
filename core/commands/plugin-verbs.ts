// The verbs that plugins bring, as verbs of the CLI. How one runs is imported with it, and the config where one needs it.

import { builtInPlugins } from '../config/built-in.ts'
import type { AnyPlugin } from '../loader.ts'
import type { Surroundings, Verb } from './verb.ts'

/** Verbs of the built-in plugins, or of those named. A plugin that cannot be imported is told and left out. */
export async function builtInVerbs(names: readonly string[] = builtInPlugins, around: Pick<Surroundings, 'err'>): Promise<Verb[]> {
  const found = await Promise.all(names.map(name => importPlugin(name, around)))
  return found.flatMap(plugin => (plugin === undefined ? [] : verbsOf(plugin, plugin.name)))
}

/** Verbs of the further plugins that the config names. A config that does not load has none; its own verb will say why. */
export async function configuredVerbs(words: readonly string[], around: Surroundings): Promise<Verb[]> {
  const [{ loadConfig }, { loadOptions }] = await Promise.all([import('../config/load.ts'), import('./load-for.ts')])
  const at = words.findIndex(word => word === '-c' || word === '--config')
  const options = loadOptions({ ...around, options: at === -1 ? {} : { config: words[at + 1] } })
  const result = await loadConfig(options)
  if (!result.ok) return []
  const others = result.config.plugins.filter(({ name }) => !builtInPlugins.includes(name))
  if (others.length === 0) return []
  const { loadPlugin } = await import('../loader.ts')
  const loaded = await Promise.all(others.map(entry => loadPlugin(entry, around.cwd)))
  return loaded.flatMap((one, index) => (one.kind === 'loaded' ? verbsOf(one.checked.plugin, others[index]?.name ?? '') : []))
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

// `entryName`: what the config calls the plugin.
function verbsOf(plugin: AnyPlugin, entryName: string): Verb[] {
  return (plugin.commands ?? []).map(command => ({
    ...command,
    load: async () => (await import('./plugin-command.ts')).prepare(plugin, entryName, command),
  }))
}
