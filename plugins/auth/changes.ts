// What changed in a key store since a gateway last looked, as the log of changes in the database says: nobody reads all keys to see one.
import type { SqlRow } from 'mcpgw/plugin'
import { readKey, type StoredKey } from './stored-key.ts'

/** A place in the log. The number alone would fit into the log of a restored backup that has grown since. */
export interface Mark {
  readonly revision: number
  readonly mark: string
}

export interface Changes {
  readonly until: Mark
  /** By id, as they are now and in the order of their last change; undefined: it is gone. */
  readonly keys: ReadonlyMap<string, StoredKey | undefined>
  /** There may be more after `until`. */
  readonly isMore: boolean
}

/** So many keys are read at once, so that nothing else waits long. */
export const PAGE = 500

/** `since` is the parameter for a revision; the first row is that of the revision itself. */
export const selectChanges = (changes: string, keys: string, since: '?' | '$1'): string =>
  `SELECT c.revision, c.mark, c.key_id, k.* FROM ${changes} c LEFT JOIN ${keys} k ON k.id = c.key_id
    WHERE c.revision >= ${since} ORDER BY c.revision LIMIT ${PAGE + 1}`

export const selectLatest = (changes: string): string => `SELECT revision, mark FROM ${changes} ORDER BY revision DESC LIMIT 1`

export function readMark(row: SqlRow | undefined): Mark {
  if (row === undefined) throw new Error('the key store has no log of changes')
  return { revision: Number(row.revision), mark: String(row.mark) }
}

/** Undefined where `since` is not of this log: all keys have to be read. `rows`: at most PAGE + 1. */
export function readChanges([first, ...rows]: readonly SqlRow[], since: Mark): Changes | undefined {
  if (first === undefined || Number(first.revision) !== since.revision || first.mark !== since.mark) return undefined
  const keys = new Map<string, StoredKey | undefined>()
  for (const row of rows) {
    const id = String(row.key_id)
    keys.delete(id)
    keys.set(id, row.id === null ? undefined : readKey(row))
  }
  return { until: readMark(rows.at(-1) ?? first), keys, isMore: rows.length === PAGE }
}
