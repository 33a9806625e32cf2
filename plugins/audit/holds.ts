// Which records a legal hold keeps. What cannot be told apart is kept.
import { readBody } from './opened.ts'
import type { Hold, StoredRecord, SubjectRow } from './store/log-store.ts'
import { type Keys, openSubject, type Who } from './subjects.ts'

/** The first that holds what is of `who`. */
export const holdOf = (holds: readonly Hold[], { tenant, id }: Who): Hold | undefined =>
  holds.find(hold => (hold.tenant ?? tenant) === tenant && (hold.consumer ?? id) === id)

/** The first that may hold what is of somebody of whom only so much is known. */
export const holdOn = (
  holds: readonly Hold[],
  { id, tenant }: { readonly id: string; readonly tenant: string | undefined },
): Hold | undefined => holds.find(hold => (hold.consumer ?? id) === id && (tenant === undefined || (hold.tenant ?? tenant) === tenant))

/** Of a record: what holds whoever did it, or somebody whom it is about. Somebody whom these keys do not open may be anybody. */
export function createHolder(
  holds: readonly Hold[],
  keys: Keys | undefined,
  rows: readonly SubjectRow[],
): (record: StoredRecord) => Hold | undefined {
  const byId = new Map(rows.map(row => [row.id, row]))
  const everything = holds.find(hold => hold.tenant === null && hold.consumer === null)
  const known = new Map<string, Hold | undefined>()
  const of = (subject: string): Hold | undefined => {
    if (!known.has(subject)) {
      const row = byId.get(subject)
      const who = row && keys && openSubject(keys, row)
      known.set(subject, who === undefined ? holds[0] : holdOf(holds, who))
    }
    return known.get(subject)
  }
  return record => {
    if (everything !== undefined || holds.length === 0) return everything
    const ids = subjectsOf(record)
    return ids === undefined ? holds[0] : ids.map(of).find(hold => hold !== undefined)
  }
}

export function describeHold({ id, tenant, consumer, reason }: Hold): string {
  const whose = [consumer === null ? '' : `consumer ${consumer}`, tenant === null ? '' : `tenant ${tenant}`].filter(Boolean).join(' of ')
  return `hold ${id} (${whose || 'everything'}: ${reason})`
}

/** The pseudonyms of those a record is about; undefined where it cannot be read. */
function subjectsOf(record: StoredRecord): readonly string[] | undefined {
  const body = readBody(record)
  const ids: readonly unknown[] = [body?.subject, body?.about?.subject].filter(id => id !== undefined)
  return body !== undefined && ids.every(id => typeof id === 'string') ? ids : undefined
}
