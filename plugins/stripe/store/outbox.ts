// The outbox as the plugin sees it, whichever database it is in: usage as it was taken over, lines, and a few notes.
import type { Attempt, Line } from '../line.ts'
import type { Standing, Terms } from '../standing.ts'

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

/** Of lines by their end. */
export interface Place {
  readonly end: number
  readonly id: string
}

/** Of lines that are not done with. */
export interface Tally {
  readonly lines: Readonly<Record<Standing, number>>
  /** Calls, units or thousandths that are used and not billed, whatever the reason. */
  readonly due: Readonly<Record<Standing, number>>
  /** ms that the oldest line to be sent has waited since its window ended. */
  readonly age: number
}

/** A part of what was looked for; `next`: where to go on, undefined when all was looked through. */
export interface Search {
  readonly lines: readonly Line[]
  readonly next: Place | undefined
}

/** The first of them, and how many there are. */
export interface Listing {
  readonly lines: readonly Line[]
  readonly total: number
}

/** When something was last billed, and what of what is not billed went wrong last, ms since 1970 (0: it could not be tried). */
export interface Latest {
  readonly success?: number | undefined
  readonly failure?: { readonly at: number; readonly why: string } | undefined
}

/** `started`: of unknown fate. `credit`: more is billed than used. `owed`: less. */
export type DuePart = 'started' | 'credit' | 'owed'

/** What is asked of lines that are not done with. None of it holds up calls, nor grows with what is done with or was used before billing began. */
export interface WorkingSet {
  /** Counts them. What was used before billing began is counted where `isWhole`. */
  tally(terms: Terms, signal?: AbortSignal, isWhole?: boolean): Promise<Tally>
  /** Some that can be tried now, from behind `from` on (undefined: all), at most `most`. */
  due(part: DuePart, from: Place | undefined, terms: Terms, most: number): Promise<Search>
  /** Some of unknown fate that cannot be tried again, and were tried so long ago that Stripe has them in its sums, if at all. */
  stale(from: Place | undefined, now: number, most: number): Promise<Search>
  /** Some of unknown fate. */
  open(from: Place | undefined, most: number): Promise<Search>
  /** Those whose events are in the same sum of Stripe as that of this line: of its customer, meter and window. */
  beside(line: Line): Promise<readonly Line[]>
  /** Those whose last event has one of these identifiers. */
  sentAs(identifiers: readonly string[]): Promise<readonly Line[]>
  /** Those that stand so, oldest first; undefined: that are not done with. */
  list(standing: Standing | undefined, terms: Terms, limit: number): Promise<Listing>
}

export interface OutboxReader extends WorkingSet {
  notes(): Promise<Readonly<Partial<Record<Note, string>>>>
  /** Those of `ids` that are there. */
  usage(ids: readonly string[]): Promise<readonly UsageCopy[]>
  lines(ids: readonly string[]): Promise<readonly Line[]>
  /** Of lines whose windows begin at `since` or later. Looks at all of them. */
  latest(since: number): Promise<Latest>
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
