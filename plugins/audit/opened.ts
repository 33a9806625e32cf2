// Records as those may read them who have the master key: what was sealed is put back in its place.

import { viewOf } from './bytes.ts'
import type { StoredRecord, SubjectRow } from './store/log-store.ts'
import type { Keys, KnownSubject } from './subjects.ts'
import { openSubject } from './subjects.ts'

/** The parts of a record's body that the commands look at; it was written by a gateway, but anyone may have changed it since. */
export interface Body {
  readonly at?: number
  readonly callId?: string
  readonly type?: string
  readonly tenant?: string
  readonly subject?: string
  readonly actor?: { readonly id?: string } | null
  /** Somebody else whom it is about; `detail`, or still `sealed`: what says who that is. */
  readonly about?: { readonly subject?: string; readonly sealed?: string; readonly detail?: object }
  readonly server?: string
  /** Of the server. */
  readonly version?: string
  readonly tool?: string
  readonly prompt?: string
  readonly uri?: string
  readonly action?: string
  readonly decision?: { readonly outcome?: string; readonly code?: string; readonly rules?: readonly string[]; readonly reason?: string }
  readonly outcome?: string
  readonly errorCode?: string
  readonly durationMs?: number
  /** Of refusals that were counted. */
  readonly count?: number
  readonly detail?: unknown
  /** Still sealed: the key is missing, or its owner was forgotten. */
  readonly personal?: string
}

/** Undefined where the text is no JSON object. */
export type OpenRecord = (record: StoredRecord) => Body | undefined

/** Without keys what is sealed stays sealed. */
export function createOpener(keys: Keys | undefined, rows: readonly SubjectRow[]): OpenRecord {
  const byId = new Map(rows.map(row => [row.id, row]))
  const known = new Map<string, KnownSubject | undefined>()
  function subjectOf(id: string): KnownSubject | undefined {
    if (!known.has(id)) {
      const row = byId.get(id)
      known.set(id, keys && row && openSubject(keys, row))
    }
    return known.get(id)
  }
  return record => openBody(record, readBody(record), subjectOf)
}

/** What `subjectOf` knows by its id of what the body holds sealed is put back in its place. */
export function openBody(
  record: StoredRecord,
  body: Body | undefined,
  subjectOf: (id: string) => KnownSubject | undefined,
): Body | undefined {
  const told = openAbout(record, body, subjectOf)
  if (told?.subject === undefined) return told
  const subject = subjectOf(told.subject)
  if (subject === undefined) return told
  const { personal, ...plain } = told
  const context = record.call === '' ? record.type : `${record.type} ${record.call}`
  const opened = personal === undefined ? {} : parse(subject.open(personal, context) ?? '')
  if (opened === undefined) return told
  return { actor: subject.id === '' ? null : { id: subject.id }, ...plain, ...opened }
}

/** With what says whom it is about, as far as that can be opened. */
function openAbout({ type }: StoredRecord, body: Body | undefined, subjectOf: (id: string) => KnownSubject | undefined): Body | undefined {
  const { subject, sealed } = body?.about ?? {}
  if (subject === undefined || sealed === undefined) return body
  const opened = parse(subjectOf(subject)?.open(sealed, aboutContext(type)) ?? '')
  return opened === undefined ? body : { ...body, about: { subject, detail: opened } }
}

/** What the details of somebody else in a record are sealed for. */
export const aboutContext = (type: string): string => `${type} about`

/** What is sealed stays sealed. Undefined where the text is no JSON object. */
export function readBody(record: StoredRecord): Body | undefined {
  return parse(viewOf(record.body).toString())
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
