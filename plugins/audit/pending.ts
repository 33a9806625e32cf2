// What is on its way to the store: which records, what becomes of them where it fails, and who waits for them.
import type { Append, DurableOutcome } from 'mcpgw/plugin'
import type { Entry, Stored } from './entry.ts'

/** An entry that is not to be lost; `seq`: its place in an append of unknown fate. */
export interface Kept {
  readonly entry: Entry
  readonly seq: number | undefined
}

/** What the writer commits as one: all of it becomes durable at once, or nobody knows. */
export interface Pending {
  readonly since: number
  readonly durable: Promise<void>
  readonly kept: Kept[]
  readonly leaves: string[]
  readonly outcomes: DurableOutcome[]
  readonly subjects: Stored[]
  /** Place of its last record in the stream. */
  seq: number
  readonly settled: Promise<string | undefined>
  readonly settle: (failed: string | undefined) => void
}

export function openPending(durable: Promise<void>, since: number): Pending {
  let settle!: Pending['settle']
  const settled = new Promise<string | undefined>(resolve => {
    settle = resolve
  })
  return { since, durable, kept: [], leaves: [], outcomes: [], subjects: [], seq: 0, settled, settle }
}

/** Before a record that refers to somebody goes their row, once. */
export function introduce(subject: Stored, rows: Append[], subjects: Stored[]): void {
  rows.push(subject.row)
  subjects.push(subject)
}

export function markStored(groups: readonly Pending[]): void {
  for (const { subjects } of groups) for (const subject of subjects) subject.stored = true
}
