// What no removal may take: records that a configured export has not brought to its receiver, or that another plugin has not read.
import type { RecordReader } from 'mcpgw/plugin'
import type { LogReader, LogStore, StoredRecord } from '../store/log-store.ts'
import type { ExportConfig } from './config.ts'
import { readProgress } from './progress.ts'

/** Who has yet to have this record; undefined where there is nobody. */
export type Waits = (record: StoredRecord) => string | undefined

/** Rejects where an export does not say how far it is. */
export async function readWaits(
  store: LogStore,
  reader: LogReader,
  exports: readonly Pick<ExportConfig, 'name'>[],
  readers: readonly RecordReader[],
): Promise<Waits> {
  const cursors = await Promise.all(exports.map(async ({ name }) => ({ name, cursor: readProgress(await store.exportState(name)).cursor })))
  return record => {
    const unsent = cursors.find(({ cursor }) => cursor === undefined || !reader.isPast(cursor, record))
    if (unsent !== undefined) return `export ${unsent.name} has not sent it`
    const unread = readers.find(({ through }) => (through.get(record.stream) ?? 0) < record.seq)
    return unread && `plugin ${unread.plugin} has not read it`
  }
}
