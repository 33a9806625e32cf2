// Which plugins read the durable record, and how far each is: what none of them has read must stay in it.
import { type CheckedPlugin, loadPlugin, type PluginEntry } from '../loader.ts'
import type { RecordReader, Stores } from '../plugin/index.ts'

/** Rejects where one cannot tell. */
export async function askReaders(plugins: readonly CheckedPlugin[], stores: Stores): Promise<readonly RecordReader[]> {
  const asked = plugins.map(async ({ plugin, config }): Promise<readonly RecordReader[]> => {
    if (plugin.readThrough === undefined) return []
    try {
      return [{ plugin: plugin.name, through: await plugin.readThrough({ config, stores }) }]
    } catch (error) {
      throw new Error(`${plugin.name} cannot tell how far it has read the record: ${(error as Error).message}`, { cause: error })
    }
  })
  return (await Promise.all(asked)).flat()
}

/** Of plugins that are not started. `dir`: where they are looked for. Rejects where one does not load, too. */
export async function findReaders(entries: readonly PluginEntry[], dir: string, stores: Stores): Promise<readonly RecordReader[]> {
  const loaded = await Promise.all(entries.map(entry => loadPlugin(entry, dir)))
  const refused = loaded.flatMap(one => (one.kind === 'refused' ? one.findings : []))
  if (refused.length > 0) throw new Error(refused.map(({ message }) => message).join('; '))
  return askReaders(
    loaded.flatMap(one => (one.kind === 'loaded' ? [one.checked] : [])),
    stores,
  )
}
