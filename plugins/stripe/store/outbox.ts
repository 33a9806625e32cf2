// The outbox as the plugin sees it, whichever database it is in: usage as it was taken over, lines, and a few notes.
import type { Attempt, Line } from '../line.ts'

/** Of one row of usage, with its totals. */
export interface UsageCopy {
  readonly id: string
  readonly start: number
  readonly end: number
  readonly tenant: string
  readonly server: string
  readonly target: string
  readonly calls: number
  readonly milliUnits: number
}

/** Written whole or not at all. Each id once. */
export interface Changes {
  readonly notes?: Readonly<Partial<Record<Note, string>>>
  readonly usage?: readonly UsageCopy[]
  /** What was used, in new lines or known ones; what was tried stays as it is. */
  readonly totals?: readonly Omit<Line, 'attempt' | 'sent'>[]
  /** What was tried and what is counted. */
  readonly attempts?: readonly Pick<Line, 'id' | 'sent' | 'attempt'>[]
}

/** `outbox`: its own random id. `cursor`: of the usage. `began`: when billing began, ms since 1970; `dry`: `yes` where only a dry run did. */
export type Note = 'outbox' | 'cursor' | 'began' | 'dry'

export interface OutboxReader {
  notes(): Promise<Readonly<Partial<Record<Note, string>>>>
  /** Those of `ids` that are there. */
  usage(ids: readonly string[]): Promise<readonly UsageCopy[]>
  lines(ids: readonly string[]): Promise<readonly Line[]>
  /** Lines that are not done with, oldest first. */
  unsettled(): Promise<readonly Line[]>
  /** Lines of windows that begin in this span, oldest first. */
  within(from: number, to: number): Promise<readonly Line[]>
  usageWithin(from: number, to: number): Promise<readonly UsageCopy[]>
  close(): Promise<void>
}

export interface OutboxWriter {
  /** Resolves once all is durable; rejects where that is unknown: then the writer is of no use any more. */
  commit(changes: Changes): Promise<void>
  close(): Promise<void>
}

export interface Outbox {
  /** For messages. */
  readonly name: string
  /** Makes or renews the tables. Of all processes one writes; undefined: another one does. */
  lead(): Promise<OutboxWriter | undefined>
  /** Rejects where there is no outbox yet. */
  reader(): Promise<OutboxReader>
  /** An operator's word on a line that stands as told; false where it does not any more. May run beside a writer. */
  settle(before: Line, after: Pick<Line, 'sent'> & { readonly attempt: Attempt }): Promise<boolean>
  close(): Promise<void>
}
