// What of a record leaves by an export: names and contents only as far as it is configured; all else stays sealed, that is away.
import { createOpener, type OpenRecord, readBody } from '../opened.ts'
import type { StoredRecord, SubjectRow } from '../store/log-store.ts'
import { type Keys, LEASE_MS } from '../subjects.ts'
import type { Fields } from './event.ts'

export interface ViewOptions {
  /** Who called, and from where; else there is the pseudonym only. */
  readonly names: boolean
  /** Arguments and results, as far as they were recorded. */
  readonly contents: boolean
  readonly keys: Keys
  readonly clock: { mono(): number }
  subjects(): Promise<readonly SubjectRow[]>
}

/** Of one that is no JSON object any more there are no fields. */
export type View = (records: readonly StoredRecord[]) => Promise<readonly Fields[]>

// Who was forgotten meanwhile is not opened for longer than this.
const KNOWN_MS = LEASE_MS
const CONTENTS = /^(args|inputs|result)(Preview|Truncated)?$/

export function createView({ names, contents, keys, clock, subjects }: ViewOptions): View {
  let open: OpenRecord = readBody
  let known: ReadonlySet<string> = new Set()
  let since = Number.NEGATIVE_INFINITY

  async function refresh(records: readonly StoredRecord[]): Promise<void> {
    const met = records.map(record => readBody(record)?.subject ?? '')
    if (met.every(id => known.has(id)) && clock.mono() - since < KNOWN_MS) return
    const rows = await subjects()
    open = createOpener(keys, rows)
    // Also those that are not there: they were forgotten, and are not looked for with each record.
    known = new Set([...rows.map(row => row.id), ...met])
    since = clock.mono()
  }

  function cut(body: Fields): Fields {
    // What was not sealed is nobody's name.
    const hides = (name: string): boolean => body.subject !== undefined && (name === 'actor' || name === 'source')
    const kept = Object.entries(body).filter(
      ([name]) => name !== 'personal' && (names || !hides(name)) && (contents || !CONTENTS.test(name)),
    )
    const shown = Object.fromEntries(kept)
    const subject = body.about?.subject
    return names || subject === undefined ? shown : { ...shown, about: { subject } }
  }

  return async records => {
    if (names || contents) await refresh(records)
    return records.map(record => cut((open(record) ?? {}) as Fields))
  }
}
