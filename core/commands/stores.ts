// Where commands get their stores: the one place that ties the command line to the storage drivers.
import type { GatewayConfig } from '../config/schema.ts'
import type { Log, Stores } from '../plugin/index.ts'

export async function openStores({ dir, url, redis }: GatewayConfig['store'], log: Log): Promise<Stores> {
  const { createStores } = await import('../store/index.ts')
  return createStores({ dataDir: dir, url, redis, log })
}
