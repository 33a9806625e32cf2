// What no removal may take: records that a configured export has not brought to its receiver.
import type { LogReader, LogStore, StoredRecord } from '../store/log-store.ts'
import type { ExportConfig } from './config.ts'
import { readProgress } from './progress.ts'

/** The name of an export that has yet to send this record; undefined where there is none. Rejects where one does not say how far it is. */
export type Waits = (record: StoredRecord) => string | undefined

export async function readWaits(store: LogStore, reader: LogReader, exports: readonly Pick<ExportConfig, 'name'>[]): Promise<Waits> {
  const cursors = await Promise.all(exports.map(async ({ name }) => ({ name, cursor: readProgress(await store.exportState(name)).cursor })))
  return record => cursors.find(({ cursor }) => cursor === undefined || !reader.isPast(cursor, record))?.name
}
