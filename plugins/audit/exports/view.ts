// What of a record leaves by an export: names and contents only as far as it is configured; all else stays sealed, that is away.
import { type Body, openBody, readBody } from '../opened.ts'
import type { StoredRecord, SubjectRow } from '../store/log-store.ts'
import { type Keys, type KnownSubject, openSubject } from '../subjects.ts'
import type { Fields } from './event.ts'

export interface ViewOptions {
  /** Who called, and from where; else there is the pseudonym only. */
  readonly names: boolean
  /** Arguments and results, as far as they were recorded. */
  readonly contents: boolean
  readonly keys: Keys
  /** Those of these that are there now. */
  subjects(ids: readonly string[]): Promise<readonly SubjectRow[]>
}

/** Of one that is no JSON object any more there are no fields. Whoever was forgotten when it is called is not named. */
export type View = (records: readonly StoredRecord[]) => Promise<readonly Fields[]>

/** Opened keys that are kept: they are of use only as long as their rows are there. */
const KEPT = 10_000
const CONTENTS = /^(args|inputs|result)(Preview|Truncated)?$/
/** What the plugin makes; a store need not understand what somebody else wrote there. */
const ID = /^[\x21-\x7e]{1,64}$/

export function createView({ names, contents, keys, subjects }: ViewOptions): View {
  const kept = new Map<string, { readonly row: SubjectRow; readonly subject: KnownSubject | undefined }>()

  /** The rows are asked for each time: an erasure is one that is not there any more. */
  async function find(bodies: readonly (Body | undefined)[]): Promise<(id: string) => KnownSubject | undefined> {
    const met: readonly unknown[] = bodies.flatMap(body => [body?.subject, body?.about?.subject])
    const ids = new Set(met.filter(id => typeof id === 'string' && ID.test(id)) as string[])
    if (ids.size === 0) return () => undefined
    const found = new Map<string, KnownSubject | undefined>()
    for (const row of await subjects([...ids])) found.set(row.id, open(row))
    for (const id of ids) if (!found.has(id)) kept.delete(id)
    return id => found.get(id)
  }

  function open(row: SubjectRow): KnownSubject | undefined {
    const known = kept.get(row.id)
    if (known !== undefined && known.row.key === row.key && known.row.who === row.who) return known.subject
    if (kept.size >= KEPT) kept.clear()
    const subject = openSubject(keys, row)
    kept.set(row.id, { row, subject })
    return subject
  }

  function cut(body: Fields): Fields {
    // What was not sealed is nobody's name.
    const hides = (name: string): boolean => body.subject !== undefined && (name === 'actor' || name === 'source')
    const left = Object.entries(body).filter(
      ([name]) => name !== 'personal' && (names || !hides(name)) && (contents || !CONTENTS.test(name)),
    )
    const shown = Object.fromEntries(left)
    const subject = body.about?.subject
    return names || subject === undefined ? shown : { ...shown, about: { subject } }
  }

  return async records => {
    const bodies = records.map(readBody)
    const subjectOf = names || contents ? await find(bodies) : () => undefined
    return records.map((record, at) => cut((openBody(record, bodies[at], subjectOf) ?? {}) as Fields))
  }
}
