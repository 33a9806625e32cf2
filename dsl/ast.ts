// What the parser makes of a policy file: every part with its span, comments beside it, nothing resolved yet.
import type { JsonNumber } from './json-number.ts'
import type { Source, Span } from './span.ts'

export interface PolicyFile {
  readonly source: Source
  readonly span: Span
  readonly name: Word
  readonly edition: Numeral
  readonly owner?: Word
  /** In the order of the file. */
  readonly items: readonly Item[]
  readonly comments: readonly Comment[]
}
export type Item = Let | TargetSet | Rule | Test

/** `#` to the end of the line, without the line break. `ownLine`: nothing but white space stands before it. */
export interface Comment {
  readonly text: string
  readonly ownLine: boolean
  readonly span: Span
}

/** A NAME or STR; `value` is decoded. `x` and `"x"` mean the same, but in targets. */
export interface Word {
  readonly value: string
  readonly quoted: boolean
  readonly span: Span
}
export interface Numeral {
  readonly value: number
  readonly span: Span
}
/** As written (`1h30m`), and in milliseconds. */
export interface Duration {
  readonly text: string
  readonly ms: number
  readonly span: Span
}
/** `2027-03-31`; in force through the end of that day UTC. */
export interface CalendarDate {
  readonly text: string
  readonly span: Span
}

/** The text between the braces, as written; its span is that of the text. */
export interface CelSlice {
  readonly text: string
  readonly span: Span
}
/** A strict JSON value in the file. */
export interface JsonSlice {
  readonly text: string
  readonly value: Json
  readonly span: Span
}
/** Objects are Maps in source order, numbers keep their text. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>

export interface Let {
  readonly kind: 'let'
  readonly name: Word
  readonly cel: CelSlice
  readonly span: Span
}
export interface TargetSet {
  readonly kind: 'targets'
  readonly name: Word
  readonly targets: readonly Target[]
  readonly span: Span
}

/** `server` is a glob as written; `name` as written, decoded where quoted. `@x` is a reference to a set. */
export type Target =
  | {
      readonly kind: 'pattern'
      readonly server: string
      readonly name: string
      readonly quoted: boolean
      readonly span: Span
    }
  | { readonly kind: 'reference'; readonly set: Word; readonly span: Span }

export type Effect = 'allow' | 'deny' | 'require'
export type Action = 'call' | 'read' | 'prompt' | 'method'

export interface Rule {
  readonly kind: 'rule'
  readonly effect: Effect
  readonly shadow: boolean
  readonly name: Word
  /** In the order of the file. A clause that stands twice is a syntax error; the first counts. */
  readonly clauses: readonly Clause[]
  readonly span: Span
}
export type Clause = WhoClause | TargetClause | ConditionClause | AfterClause | ThenClause | BecauseClause | ExpiresClause
export interface WhoClause {
  readonly kind: 'who'
  readonly subjects: readonly Subject[]
  readonly except: readonly Subject[]
  readonly span: Span
}
export interface TargetClause {
  readonly kind: 'target'
  readonly action: Action
  readonly targets: readonly Target[]
  readonly except: readonly Target[]
  readonly span: Span
}
export interface ConditionClause {
  readonly kind: 'when' | 'unless'
  readonly cel: CelSlice
  readonly span: Span
}
export interface AfterClause {
  readonly kind: 'after'
  readonly events: readonly Event[]
  readonly within: Duration
  readonly span: Span
}
export interface ThenClause {
  readonly kind: 'then'
  readonly obligations: readonly ObligationNode[]
  readonly span: Span
}
export interface BecauseClause {
  readonly kind: 'because'
  readonly text: Word
  readonly span: Span
}
export interface ExpiresClause {
  readonly kind: 'expires'
  readonly date: CalendarDate
  readonly span: Span
}

/** All of `parts` must hold; `any` has none. */
export interface Subject {
  readonly kind: 'any' | 'parts'
  readonly parts: readonly SubjectPart[]
  readonly span: Span
}
/** `agent` is principal.id. */
export interface SubjectPart {
  readonly kind: 'role' | 'agent' | 'tenant'
  readonly name: Word
  readonly span: Span
}
export interface Event {
  readonly action: 'call' | 'read' | 'prompt'
  readonly target: Target
  readonly span: Span
}
export interface ObligationNode {
  readonly name: Word
  readonly args: readonly ObligationArg[]
  readonly span: Span
}
export interface ObligationArg {
  readonly name?: Word
  readonly value:
    | { readonly kind: 'word'; readonly word: Word }
    | { readonly kind: 'int'; readonly int: Numeral }
    | { readonly kind: 'duration'; readonly duration: Duration }
  readonly span: Span
}

export interface Test {
  readonly kind: 'test'
  readonly name: Word
  readonly as: JsonSlice
  readonly given: readonly Past[]
  readonly at?: Word
  readonly from?: Word
  readonly action: Action
  readonly target: Target
  readonly args?: JsonSlice
  readonly expect: Expectation
  readonly span: Span
}
export interface Past {
  readonly event: Event
  readonly ago: Duration
  readonly span: Span
}
export interface Expectation {
  readonly outcome: 'allow' | 'deny'
  readonly by: readonly Word[]
  readonly with: readonly Word[]
  readonly span: Span
}
