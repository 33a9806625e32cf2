// Reads the audit file of a gateway as anybody could: rows of SQLite, through whichever driver this Node has.
import { join } from 'node:path'
import type { Database } from '../../core/plugin/index.ts'
import { createStores } from '../../core/store/index.ts'
import { runCli } from './product.ts'

export interface ShownRecord {
  readonly stream: string
  readonly seq: number
  readonly type: string
  readonly callId?: string
  readonly tool?: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly outcome?: string
  readonly errorCode?: string
  readonly detail?: Readonly<Record<string, unknown>>
}

export function openRecords(dataDir: string, readOnly = true): Database {
  return createStores({ dataDir }).open('audit.db', { readOnly })
}

/** All records of the gateway in this folder, oldest first. */
export function readRecords(dir: string): ShownRecord[] {
  const db = openRecords(join(dir, '.mcpgw'))
  try {
    return db
      .prepare('SELECT body FROM record ORDER BY n')
      .all()
      .map(row => JSON.parse(String(row.body)))
  } finally {
    db.close()
  }
}

/** The exit code of `audit verify`, and what it said. */
export function verify(dir: string): { code: number | null; said: string } {
  const { code, out, err } = runCli(['audit', 'verify'], dir)
  return { code, said: out + err }
}
