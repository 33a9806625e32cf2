// Reads the audit file of a gateway as those may who have its key: rows of SQLite, through whichever driver this Node has.
import { join } from 'node:path'
import type { Database } from '../../core/plugin/index.ts'
import { createStores } from '../../core/store/index.ts'
import { readMasterKey } from '../../plugins/audit/master-key.ts'
import { createOpener } from '../../plugins/audit/opened.ts'
import type { StoredRecord, SubjectRow } from '../../plugins/audit/store/log-store.ts'
import { deriveKeys } from '../../plugins/audit/subjects.ts'
import { runCli } from './cli.ts'

export interface ShownRecord {
  readonly stream: string
  readonly seq: number
  readonly tenant?: string
  readonly type: string
  readonly at?: number
  readonly actor?: { readonly id: string; readonly method?: string; readonly issuer?: string; readonly uid?: number } | null
  /** Of administration. */
  readonly success?: boolean
  readonly callId?: string
  readonly server?: string
  readonly action?: string
  readonly transport?: string
  readonly tool?: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly outcome?: string
  readonly errorCode?: string
  readonly durationMs?: number
  readonly decision?: { readonly outcome: string; readonly code?: string; readonly reason?: string }
  readonly http?: { readonly method?: string; readonly path?: string; readonly status?: number }
  readonly source?: { readonly ip: string }
  /** Of `refusal.repeated`. */
  readonly count?: number
  readonly detail?: Readonly<Record<string, unknown>>
}

export function openRecords(dataDir: string, readOnly = true): Database {
  return createStores({ dataDir }).open('audit.db', { readOnly })
}

/** All records of the gateway in this folder, oldest first. */
export function readRecords(dir: string): ShownRecord[] {
  const db = openRecords(join(dir, '.mcpgw'))
  try {
    const subjects = db.prepare('SELECT * FROM subject').all() as unknown as SubjectRow[]
    const open = createOpener(deriveKeys(readMasterKey(join(dir, '.mcpgw', 'audit.db.key'))), subjects)
    const rows = db.prepare('SELECT *, CAST(body AS BLOB) AS body FROM record ORDER BY n').all() as unknown as StoredRecord[]
    return rows.map(row => open(row) as ShownRecord)
  } finally {
    db.close()
  }
}

/** The exit code of `audit verify`, and what it said. `checkpoints`: a file of those that were kept elsewhere. */
export function verify(dir: string, checkpoints?: string): { code: number | null; said: string } {
  const { code, out, err } = runCli(['audit', 'verify', ...(checkpoints === undefined ? [] : ['--checkpoint', checkpoints])], dir)
  return { code, said: out + err }
}
