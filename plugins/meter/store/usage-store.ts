// The port behind which usage is kept: an SQLite file or a PostgreSQL database. What was counted and how far the log was read change in one transaction.
import type { ReadSoFar, UsageRow } from 'mcpgw/plugin'
import type { OutcomeKind } from '../outcome-kinds.ts'
import { type Period, periodAt } from '../periods.ts'
import type { ChangesCursor } from './changes.ts'

export interface Counts {
  readonly ends: Readonly<Record<OutcomeKind, number>>
  /** By bucket, the last one without a bound. */
  readonly latency: readonly number[]
  readonly requestBytes: number
  readonly resultBytes: number
  /** Thousandths of a unit. */
  readonly milliUnits: bigint
}

/** Usage is kept twice: by window, and by month, so that a report of a month need not add up its windows. */
export type Span = 'window' | 'month'

/** What is added to the usage of one caller and tool in one window or month. */
export interface Addition extends Counts {
  readonly span: Span
  readonly start: number
  readonly end: number
  readonly tenant: string
  readonly subject: string
  readonly server: string
  readonly target: string
}

/** What went to one version of its server: a part of the row of the same key. */
export interface VersionAddition extends Addition {
  readonly version: string
}

/** What outcomes add: all of it in `rows`, and what went to a server that names its version once more in `versions`. Each key once. */
export interface Additions {
  readonly rows: readonly Addition[]
  readonly versions: readonly VersionAddition[]
}

/** What came of the records of one stream behind `after` through `through`. */
export interface Step extends Additions {
  readonly stream: string
  readonly after: number
  readonly through: number
  /** Of the latest outcome among them, ms since 1970; 0 where there is none. */
  readonly at: number
  /** Records that were taken out of the log before they were counted. */
  readonly lost?: Lost | undefined
}

export interface Lost {
  readonly stream: string
  readonly first: number
  readonly last: number
}

/** Whereby a report adds up. `version`: of the server, empty where it names none, and of what was counted before versions were. `day`, `hour`: of the window's start. */
export type Dimension = 'tenant' | 'subject' | 'server' | 'version' | 'target' | 'hour' | 'day'

export interface Question {
  /** Which rows to add up; months are quicker, and whole. */
  readonly span: Span
  /** Rows that begin in this time: ms since 1970, the second exclusive. */
  readonly from: number
  readonly to: number
  readonly tenant?: string | undefined
  readonly by: readonly Dimension[]
}

/** The rows that answer a question about this time by these columns: months where they can. */
export function spanOf({ from, to }: Period, by: readonly string[]): Span {
  const isWhole = [from, to].every(at => periodAt('month', at).from === at)
  return isWhole && !by.includes('hour') && !by.includes('day') ? 'month' : 'window'
}

export interface Sum extends Counts {
  readonly tenant?: string
  readonly subject?: string
  readonly server?: string
  readonly version?: string
  readonly target?: string
  /** ms since 1970. */
  readonly hour?: number
  readonly day?: number
}

export interface Counted extends ReadSoFar {
  /** Of each stream the latest outcome, ms since 1970. */
  readonly latest: ReadonlyMap<string, number>
  readonly lost: readonly Lost[]
}

export interface UsagePage {
  readonly rows: readonly UsageRow[]
  readonly cursor: string
}

export interface UsageStore {
  /** For messages: the file, or the address without its password. */
  readonly name: string
  /** Other gateways add to it, too. */
  readonly isShared: boolean
  counted(): Promise<Counted>
  /** All of it in one transaction; false, and nothing is done, where the stream was counted through another record than `after`. */
  add(step: Step): Promise<boolean>
  /** All of the log before this place is counted. */
  keepPlace(place: string): Promise<void>
  sum(question: Question): Promise<readonly Sum[]>
  /** As `Usage.changes`. */
  changes(cursor: string | undefined, endedBy: number, signal: AbortSignal): AsyncIterable<UsagePage>
  /** Removes windows that ended by then, but for what one of `consumers` has not seen: of whom so many rows are left. */
  forget(endedBy: number, consumers: ReadonlyMap<string, ChangesCursor>): Promise<ReadonlyMap<string, number>>
  close(): Promise<void>
}
