// How far the log is counted: what is beyond that must not go from it.
import { existsSync } from 'node:fs'
import type { RecordReader, RecordReaderIo } from 'mcpgw/plugin'
import type { MeterConfig } from './config.ts'
import { openUsage } from './store/open.ts'

/** Nothing, where there is no store so far: it is made, and the log read from its beginning, when a gateway starts. */
export async function readThrough({ stores, config }: RecordReaderIo<MeterConfig>): Promise<RecordReader['through']> {
  if (stores.postgres() === undefined && !existsSync(stores.resolve(config.path))) return new Map()
  const store = await openUsage(stores, config, 'read')
  try {
    return (await store.counted()).through
  } finally {
    await store.close()
  }
}
