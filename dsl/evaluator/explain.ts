// Why a call is decided as it is: every rule about its target, who it is for, and which part of its condition held. No value is shown.

import type { CelSlice, Effect, PolicyFile } from '../ast.ts'
import type { CheckedPolicy } from '../bundle/bundle.ts'
import type { Condition, Truth } from '../cel/condition.ts'
import type { CelNode } from '../cel/node.ts'
import type { EvaluationErrorCode } from '../decision.ts'
import type { Facts } from '../facts.ts'
import type { Span } from '../span.ts'
import { positionOf } from '../span.ts'
import type { Value } from '../value.ts'
import { bind } from './bindings.ts'
import { evaluate, happened, holds } from './clauses.ts'
import { type CompiledRule, isAbout, isFor, isOver } from './compiled-rule.ts'
import { evaluatePart, partsOf, valuesRead } from './condition-parts.ts'

export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}
export interface Explanation {
  readonly rule: string
  readonly effect: Effect
  readonly shadow: boolean
  readonly place: Place
  /** As written, e.g. `call crm/get_*`. */
  readonly target: string
  /** Whether `who` means the caller. */
  readonly isForCaller: boolean
  /** Whether the rule counts in the decision. */
  readonly matches: boolean
  readonly parts: readonly ExplainedPart[]
}
export interface ExplainedPart {
  readonly kind: 'who' | 'when' | 'unless' | 'after' | 'expires'
  readonly text: string
  readonly place: Place
  /** Whether it lets the rule match. */
  readonly holds: boolean
  readonly error?: EvaluationErrorCode
  /** What the part reads, by kind and size. */
  readonly values: readonly { readonly name: string; readonly is: string }[]
}

export function explainRules(policy: CheckedPolicy, rules: readonly CompiledRule[], facts: Facts): readonly Explanation[] {
  const files = new Map(policy.files.map(file => [file.source.file, { text: file.source.text, lets: letsOf(file) }]))
  return rules
    .filter(rule => isAbout(rule, facts.action, facts.server, facts.name))
    .map(rule => explain(rule, facts, files.get(rule.rule.span.file) ?? { text: '', lets: new Map() }))
}

type Show = (span: Span) => { readonly text: string; readonly place: Place }
interface InFile {
  readonly text: string
  readonly lets: ReadonlyMap<string, CelSlice>
}

function letsOf({ items }: PolicyFile): InFile['lets'] {
  return new Map(items.flatMap(item => (item.kind === 'let' ? [[item.name.value, item.cel] as const] : [])))
}

function explain(compiled: CompiledRule, facts: Facts, file: InFile): Explanation {
  const { rule, targets } = compiled
  const show: Show = span => ({
    text: file.text.slice(span.start, span.end).trim(),
    place: { file: span.file, ...positionOf(file.text, span.start) },
  })
  const about = targets.find(
    ({ action, matchesServer, matchesName }) => action === facts.action && matchesServer(facts.server) && matchesName(facts.name),
  )!
  const bindings = new Map<string, Value>()
  const isForCaller = isFor(compiled, facts.principal)
  const over = isOver(compiled, facts.request.time.getTime())
  const outcome = holds(rule, facts, bindings)
  const own = show(rule.nameSpan).place
  const parts: ExplainedPart[] = []
  if (!isForCaller) parts.push({ kind: 'who', text: 'the caller is nobody that `who` means', place: own, holds: false, values: [] })
  for (const kind of ['when', 'unless'] as const) {
    const condition = rule[kind]
    if (condition !== undefined) parts.push(...explainCondition(kind, condition, facts, bindings, show, file.lets))
  }
  if (rule.after !== undefined)
    parts.push({ kind: 'after', ...show(rule.after.span), ...verdict(happened(rule.after, facts), true), values: [] })
  if (over) parts.push({ kind: 'expires', text: 'the last day of the rule is over', place: own, holds: false, values: [] })
  return {
    rule: rule.name,
    effect: rule.effect,
    shadow: rule.shadow,
    place: own,
    target: `${facts.action} ${show(about.pattern.span).text}`,
    isForCaller,
    matches: isForCaller && !over && (outcome === true || (outcome !== false && rule.effect !== 'allow')),
    parts,
  }
}

function explainCondition(
  kind: 'when' | 'unless',
  condition: Condition,
  facts: Facts,
  bindings: Map<string, Value>,
  show: Show,
  lets: InFile['lets'],
): readonly ExplainedPart[] {
  bind(bindings, condition.reads, facts)
  const whole = evaluate(condition, facts, bindings)
  const wanted = kind === 'when'
  const nodes: readonly CelNode[] = wanted ? partsOf(condition.ast) : [condition.ast]
  if (nodes.length === 1) return [{ kind, ...show(condition.span), ...verdict(whole, wanted), values: valuesRead(condition.ast, bindings) }]
  return nodes.map(node => {
    const span = condition.spanOf(node)
    const shown = show(span)
    const truth = evaluatePart({ text: shown.text, span }, lets, bindings)
    return { kind, ...shown, ...verdict(truth, wanted), values: valuesRead(node, bindings) }
  })
}

function verdict(truth: Truth, wanted: boolean): { holds: boolean; error?: EvaluationErrorCode } {
  return typeof truth === 'boolean' ? { holds: truth === wanted } : { holds: false, error: truth.error }
}
