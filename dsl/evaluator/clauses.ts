// The whole condition of a rule: when, not unless, and after, each true, false or an error; false wins, then the error.
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { Condition, Truth } from '../cel/condition.ts'
import type { EvaluationErrorCode, RuleError } from '../decision.ts'
import type { Facts, Subject } from '../facts.ts'
import type { Span } from '../span.ts'
import type { Value } from '../value.ts'
import { bind, bindKnown, UNKNOWN_IN_LISTS } from './bindings.ts'

/** What a rule's condition came to; an error says of which part. */
export type Outcome = boolean | RuleError

export function isConditional({ when, unless, after }: ResolvedRule): boolean {
  return when !== undefined || unless !== undefined || after !== undefined
}

/** `bindings` grow with what is read. */
export function holds(rule: ResolvedRule, facts: Facts, bindings: Map<string, Value>): Outcome {
  const { when, unless, after } = rule
  let error: RuleError | undefined
  if (when !== undefined) {
    const truth = evaluate(when, facts, bindings)
    if (truth === false) return false
    if (truth !== true) error = failed(rule, truth.error, when.span)
  }
  if (unless !== undefined) {
    const truth = evaluate(unless, facts, bindings)
    if (truth === true) return false
    if (truth !== false) error ??= failed(rule, truth.error, unless.span)
  }
  if (after !== undefined) {
    const truth = happened(after, facts)
    if (truth === false) return false
    if (truth !== true) error ??= failed(rule, truth.error, after.span)
  }
  return error ?? true
}

export function evaluate(condition: Condition, facts: Facts, bindings: Map<string, Value>): Truth {
  bind(bindings, condition.reads, facts)
  return condition.evaluate(bindings)
}

/** One of the events, at the edge of the window or in it. */
export function happened({ events, withinMs }: NonNullable<ResolvedRule['after']>, { history, request }: Facts): Truth {
  const since = request.time.getTime() - withinMs
  if (history === undefined || !Number.isFinite(since)) return { error: 'no-history' }
  let unknown = false
  for (const event of events) {
    try {
      const at = history.lastMatch(event, since)
      if (at !== undefined && at >= since) return true
      if (at !== undefined && Number.isNaN(at)) unknown = true
    } catch {
      unknown = true
    }
  }
  return unknown ? { error: 'no-history' } : false
}

function failed({ name }: ResolvedRule, code: EvaluationErrorCode, span: Span): RuleError {
  return { rule: name, code, span }
}

/**
 * While lists are narrowed, args, request, session and history are unknown. `possible`: some call may make the condition true.
 * `certain`: every call makes it true, or an error.
 */
export function prospects(
  { when, unless, after }: ResolvedRule,
  subject: Subject,
  item: Pick<Facts, 'action' | 'server' | 'name' | 'annotations'>,
  bindings: Map<string, Value>,
  unknown: ReadonlySet<string> = UNKNOWN_IN_LISTS,
): { readonly possible: boolean; readonly certain: boolean } {
  let possible = true
  let certain = after === undefined
  for (const [condition, excludedBy] of [[when, false] as const, [unless, true] as const]) {
    if (condition === undefined) continue
    bindKnown(bindings, condition.reads, subject, item)
    const truth = condition.evaluatePartly(bindings, unknown)
    if (truth === 'unknown') certain = false
    else if (truth === excludedBy) return { possible: false, certain: false }
    else if (typeof truth !== 'boolean') possible = false
  }
  return { possible, certain }
}
