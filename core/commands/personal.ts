// The plugins of the config that keep something about people, each bound to its config, without starting any.
import { loadPlugin, type PluginEntry } from '../loader.ts'
import { logFor } from '../log.ts'
import type { PersonalHolder, PersonalIo } from '../plugin/index.ts'

export interface HolderContext extends Omit<PersonalIo, 'config'> {
  /** Where plugins are looked for. */
  readonly cwd: string
}

/** Rejects where one cannot be loaded: what it keeps nobody can say. */
export async function findHolders(entries: readonly PluginEntry[], { cwd, ...around }: HolderContext): Promise<readonly PersonalHolder[]> {
  const holders: PersonalHolder[] = []
  for (const entry of entries) {
    const loaded = await loadPlugin(entry, cwd)
    if (loaded.kind === 'refused') throw new Error(loaded.findings.map(({ message }) => message).join('; '))
    const { plugin, config } = loaded.checked
    const data = await plugin.personal?.()
    if (data === undefined) continue
    const io = { ...around, config, log: logFor(around.log, plugin.name) }
    holders.push({
      plugin: plugin.name,
      export: async person => data.export(person, io),
      erase: async person => data.erase(person, io),
    })
  }
  return holders
}
