// A bundle that may be evaluated: every file parsed, names resolved, conditions compiled, and no error left.
import type { Action, Effect, PolicyFile } from '../ast.ts'
import type { Condition } from '../cel/condition.ts'
import type { Duty } from '../decision.ts'
import type { EventMatcher } from '../facts.ts'
import type { Span } from '../span.ts'

/** A server glob and a name glob, sets expanded. */
export interface TargetPattern {
  readonly action: Action
  /** As written; `*` matches no reserved server. */
  readonly server: string
  readonly name: string
  /** Literal but for `read`, where a quoted uri is a glob of segments. */
  readonly quoted: boolean
  readonly span: Span
}
export interface SubjectPattern {
  readonly roles: readonly string[]
  readonly agents: readonly string[]
  readonly tenants: readonly string[]
}

export interface ResolvedRule {
  readonly name: string
  readonly effect: Effect
  readonly shadow: boolean
  readonly span: Span
  readonly nameSpan: Span
  /** One of them must match entirely; `any` is one with nothing in it. A deny or require without `who` has `any`. */
  readonly who: readonly SubjectPattern[]
  readonly notWho: readonly SubjectPattern[]
  readonly targets: readonly TargetPattern[]
  readonly notTargets: readonly TargetPattern[]
  readonly when?: Condition
  readonly unless?: Condition
  readonly after?: { readonly events: readonly EventMatcher[]; readonly withinMs: number; readonly span: Span }
  readonly obligations: readonly Duty[]
  readonly because?: string
  /** First ms at which an allow is no longer in force. */
  readonly expiresAt?: number
}

/** What `resolveBundle` makes; to be evaluated only where nothing is an error. */
export interface Bundle {
  readonly files: readonly PolicyFile[]
  readonly rules: readonly ResolvedRule[]
}
declare const checked: unique symbol
export type CheckedPolicy = Bundle & { readonly [checked]: true }
