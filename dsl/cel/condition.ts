// A compiled condition: what the evaluator and the checker know of a `when` or `unless`.
import type { EvaluationErrorCode } from '../decision.ts'
import type { Span } from '../span.ts'
import type { Value } from '../value.ts'
import type { CelNode } from './node.ts'

/** Variables by name: `args`, `principal`, `tool`, `resource`, `request`, `session`. */
export type Bindings = ReadonlyMap<string, Value>

export type Truth = true | false | ConditionError
export interface ConditionError {
  readonly error: EvaluationErrorCode
}

/** Three-valued: `unknown` where what is not bound could decide it. */
export type PartialTruth = Truth | 'unknown'

export interface Condition {
  /** Of the slice. */
  readonly span: Span
  /** As written, lets inlined; for the checker. */
  readonly ast: CelNode
  /** Where a node stands, also one that a let brought. */
  spanOf(node: CelNode): Span
  /** Names of the variables that it reads, lets inlined. */
  readonly reads: ReadonlySet<string>
  /** Never throws. */
  evaluate(bindings: Bindings): Truth
  /** `unknown` names are not bound; false AND unknown = false, true OR unknown = true. Never throws. */
  evaluatePartly(bindings: Bindings, unknown: ReadonlySet<string>): PartialTruth
}
