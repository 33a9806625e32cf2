// Reads the log of a database as a gateway may that has its key in `dir`; and how the calls in it ended.
import { join } from 'node:path'
import { createStores } from '../../core/store/index.ts'
import { readMasterKey } from '../../plugins/audit/master-key.ts'
import { createOpener } from '../../plugins/audit/opened.ts'
import type { StoredRecord, SubjectRow } from '../../plugins/audit/store/log-store.ts'
import { deriveKeys } from '../../plugins/audit/subjects.ts'
import type { ShownRecord } from '../e2e/records.ts'

/** All records, each stream in order. */
export async function readRecords(dir: string, url: string): Promise<ShownRecord[]> {
  const database = createStores({ dataDir: dir, url }).postgres()!
  const subjects = (await database.query('SELECT * FROM mcpgw_audit.subject')) as unknown as SubjectRow[]
  const open = createOpener(deriveKeys(readMasterKey(join(dir, '.mcpgw', 'audit.db.key'))), subjects)
  const rows = await database.query('SELECT * FROM mcpgw_audit.record ORDER BY stream, seq')
  await database.close()
  return rows.map(row => open({ ...row, body: Buffer.from(String(row.body)) } as unknown as StoredRecord) as ShownRecord)
}

/**
 * How the calls ended that have an intent; undefined: an intent without an end. `refused`: the intent was stored although its append failed, and the
 * call was refused for that.
 */
export function endsOf(records: readonly ShownRecord[]): Map<string, string | undefined> {
  const ends = new Map<string, string | undefined>()
  for (const record of records) if (record.type === 'intent') ends.set(record.callId!, undefined)
  for (const record of records) if (record.type === 'outcome') ends.set(record.callId!, record.outcome)
  for (const { type, callId = '' } of records) if (type === 'refusal' && ends.has(callId)) ends.set(callId, 'refused')
  return ends
}
