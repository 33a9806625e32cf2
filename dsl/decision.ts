// What the evaluator answers: allow or deny, by which rules, with which duties, and what went wrong on the way.
import type { Effect } from './ast.ts'
import type { Span } from './span.ts'

export interface PolicyDecision {
  readonly outcome: 'allow' | 'deny'
  /** Every matched deny, or every matched allow; `default` where there is none. */
  readonly by: readonly string[] | 'default'
  /** Of an allow: the union over matched allow and require rules, merged. */
  readonly obligations: readonly Duty[]
  /** Every condition that was ERROR: rule and code, never a value. */
  readonly errors: readonly RuleError[]
  /** Shadow rules that matched. */
  readonly shadow: readonly { readonly rule: string; readonly effect: Effect }[]
  /** Text for the agent: the first `because` of the deciding denies; absent where none has one. */
  readonly because?: string
}
export interface Duty {
  readonly name: string
  readonly args: readonly { readonly name?: string; readonly value: string | number }[]
}
export interface RuleError {
  readonly rule: string
  readonly code: EvaluationErrorCode
  readonly span: Span
}
/** `cel-error`: the condition threw; `not-boolean`; `over-budget`; `no-history`: `after` without a history, or one that failed. */
export type EvaluationErrorCode = 'cel-error' | 'not-boolean' | 'over-budget' | 'no-history'
