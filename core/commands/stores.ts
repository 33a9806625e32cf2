// Where commands get their stores: the one place that ties the command line to the storage drivers.
import type { Log, Stores } from '../plugin/index.ts'

export async function openStores(dataDir: string, log: Log): Promise<Stores> {
  const { createStores } = await import('../store/index.ts')
  return createStores({ dataDir, log })
}
