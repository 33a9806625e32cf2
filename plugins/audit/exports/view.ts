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
const CONTENTS: ReadonlySet<string> = new Set(['args', 'inputs', 'result'].flatMap(name => [name, `${name}Preview`, `${name}Truncated`]))
/** Of who did it; what was not sealed is nobody's name. */
const NAMES: ReadonlySet<string> = new Set(['actor', 'source', 'client'])
/** What the plugin makes; a store need not understand what somebody else wrote there. */
const ID = /^[\x21-\x7e]{1,64}$/

export function createView({ names, contents, keys, subjects }: ViewOptions): View {
  const kept = new Map<string, { readonly row: SubjectRow; readonly subject: KnownSubject | undefined }>()

  /** The rows are asked for each time: an erasure is one that is not there any more. */
  async function find(bodies: readonly (Body | undefined)[]): Promise<(id: string) => KnownSubject | undefined> {
    const ids = new Set<string>()
    const meet = (id: unknown): void => {
      if (typeof id === 'string' && !ids.has(id) && ID.test(id)) ids.add(id)
    }
    for (const body of bodies) {
      meet(body?.subject)
      meet(body?.about?.subject)
    }
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
    const hasNames = names || body.subject === undefined
    const goes = (name: string): boolean => name === 'personal' || (!contents && CONTENTS.has(name)) || (!hasNames && NAMES.has(name))
    const left = Object.keys(body).some(goes) ? Object.fromEntries(Object.entries(body).filter(([name]) => !goes(name))) : body
    const subject = body.about?.subject
    return names || subject === undefined ? left : { ...left, about: { subject } }
  }

  return async records => {
    const bodies = records.map(readBody)
    const subjectOf = names || contents ? await find(bodies) : () => undefined
    return records.map((record, at) => cut((openBody(record, bodies[at], subjectOf) ?? {}) as Fields))
  }
}
