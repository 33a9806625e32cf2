// The verbs that plugins bring, as verbs of the CLI. How one runs is imported with it, and the config where one needs it.
import { builtInPlugins } from '../config/built-in.ts'
import { importBuiltIns, type KnownPlugin, loadConfigured } from './known-plugins.ts'
import type { Surroundings, Verb } from './verb.ts'

/** Verbs of the built-in plugins, or of those named. A plugin that cannot be imported is told and left out. */
export async function builtInVerbs(names: readonly string[] = builtInPlugins, around: Pick<Surroundings, 'err'>): Promise<Verb[]> {
  return (await importBuiltIns(names, around)).flatMap(verbsOf)
}

/** Verbs of the further plugins that the config names. A config that does not load has none; its own verb will say why. */
export async function configuredVerbs(words: readonly string[], around: Surroundings): Promise<Verb[]> {
  const at = words.findIndex(word => word === '-c' || word === '--config')
  return ((await loadConfigured({ ...around, options: at === -1 ? {} : { config: words[at + 1] } })) ?? []).flatMap(verbsOf)
}

function verbsOf({ plugin, entryName }: KnownPlugin): Verb[] {
  return (plugin.commands ?? []).map(command => ({
    ...command,
    load: async () => (await import('./plugin-command.ts')).prepare(plugin, entryName, command),
  }))
}
