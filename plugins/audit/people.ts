// Under which pseudonyms the log knows somebody.
import type { SubjectRow } from './store/log-store.ts'
import { type Keys, type KnownSubject, openSubject } from './subjects.ts'

/** As they are asked for: `tenant` undefined: in any. */
export interface Sought {
  readonly id: string
  readonly tenant: string | undefined
}

export interface Sighting {
  readonly known: readonly (KnownSubject & { readonly row: SubjectRow })[]
  /** How many others cannot be told, for their keys are wrapped by another master key. */
  readonly foreign: number
}

export function findPerson(keys: Keys, rows: readonly SubjectRow[], { id, tenant }: Sought): Sighting {
  const opened = rows.map(row => ({ row, subject: openSubject(keys, row) }))
  const known = opened.flatMap(({ row, subject }) =>
    subject !== undefined && subject.id === id && subject.tenant === (tenant ?? subject.tenant) ? [{ ...subject, row }] : [],
  )
  return { known, foreign: opened.filter(({ subject }) => subject === undefined).length }
}
