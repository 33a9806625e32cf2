// Which comparisons of an argument with a constant does the schema rule out?

import { allows, fieldOf, valuesOf } from '../analysis/schema.ts'
import { placesBySchema } from '../analysis/schemas.ts'
import { stringsWith } from '../analysis/strings.ts'
import { constantOf } from '../analysis/terms.ts'
import { setsOf } from '../analysis/truth.ts'
import { constants, domainOf, flagged, isEmpty, isFalse, isTrue, stringsIn, type ValueSet } from '../analysis/values.ts'
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { Condition } from '../cel/condition.ts'
import { nearest } from '../cel/nearest.ts'
import type { CelNode } from '../cel/node.ts'
import { pathOf, walk } from '../cel/walk.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { JsonSchema, Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

export const checkImpossibleValue: Check = function* ({ rules }, { lock }) {
  for (const rule of rules) yield* impossibleComparisons(rule, lock)
}

const known = new WeakMap<ResolvedRule, { readonly lock: Lock | undefined; readonly found: readonly Diagnostic[] }>()

export function impossibleComparisons(rule: ResolvedRule, lock: Lock | undefined): readonly Diagnostic[] {
  let entry = known.get(rule)
  if (!entry || entry.lock !== lock) {
    const found = [rule.when, rule.unless].flatMap(condition => (condition ? ofCondition(rule, condition, lock) : []))
    entry = { lock, found }
    known.set(rule, entry)
  }
  return entry.found
}

/** An argument, and what it would have to be for the comparison to make a difference. */
interface Comparison {
  readonly node: CelNode
  readonly path: readonly string[]
  readonly set: ValueSet
  readonly shown: string
}

function ofCondition(rule: ResolvedRule, condition: Condition, lock: Lock | undefined): readonly Diagnostic[] {
  const places = placesBySchema(rule, lock, [condition.ast])
  if (!places || places.length === 0) return []
  return [...walk(condition.ast)].flatMap(comparisonsOf).flatMap(comparison => {
    const fields = places.flatMap(({ schema }) => {
      const field = fieldOf(schema, comparison.path.slice(1))
      return field.kind === 'declared' ? [{ schema: field.schema, root: schema }] : []
    })
    if (fields.length === 0 || fields.some(({ schema, root }) => allows(schema, root, comparison.set))) return []
    // Of another kind altogether: that is a type error.
    if (!fields.some(({ schema, root }) => isOfKind(schema, root, comparison.set))) return []
    const first = fields[0] as { schema: JsonSchema; root: JsonSchema }
    const path = comparison.path.join('.')
    return [
      finding(
        'impossible-value',
        condition.spanOf(comparison.node),
        `\`${path}\` is never ${comparison.shown}: the schema says ${rangeOf(first)}`,
        helpOf(comparison, first),
      ),
    ]
  })
}

function comparisonsOf(node: CelNode): readonly Comparison[] {
  if (node.op === 'in') {
    const path = argumentOf(node.args[0])
    const list = node.args[1]
    if (!path || list.op !== 'list') return []
    return list.args.flatMap(item => {
      const value = constantOf(item)
      return value === undefined ? [] : [{ node: item, path, set: constants([value]), shown: `\`${shownConstant(value)}\`` }]
    })
  }
  if (node.op === '==' || node.op === '!=' || node.op === '<' || node.op === '<=' || node.op === '>' || node.op === '>=') {
    for (const [side, other, op] of [
      [node.args[0], node.args[1], node.op],
      [node.args[1], node.args[0], mirrored[node.op]],
    ] as const) {
      const path = argumentOf(side)
      const value = constantOf(other)
      const sets = path && value !== undefined ? setsOf(op, value) : undefined
      if (!path || value === undefined || !sets) continue
      const set = op === '!=' ? sets.no : sets.yes
      return [{ node, path, set, shown: op === '==' || op === '!=' ? `\`${shownConstant(value)}\`` : `\`${op} ${shownConstant(value)}\`` }]
    }
    return []
  }
  if (
    node.op === 'rcall' &&
    (node.args[0] === 'startsWith' || node.args[0] === 'endsWith' || node.args[0] === 'contains' || node.args[0] === 'matches')
  ) {
    const path = argumentOf(node.args[1])
    const text = node.args[2][0] && constantOf(node.args[2][0])
    if (!path || typeof text !== 'string') return []
    return [
      {
        node,
        path,
        set: stringsIn(stringsWith(node.args[0], text)),
        shown: `a text that \`${node.args[0]}(${JSON.stringify(text)})\` holds for`,
      },
    ]
  }
  return []
}
const mirrored = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

function argumentOf(node: CelNode): readonly string[] | undefined {
  const path = pathOf(node)
  return path && path[0] === 'args' && path.length > 1 ? path : undefined
}
function shownConstant(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : value instanceof Date ? value.toISOString() : JSON.stringify(value)
}

/** Whether `set` has values of a kind (text, number, truth) that the schema takes. */
export function isOfKind(schema: JsonSchema, root: JsonSchema, set: ValueSet): boolean {
  const values = valuesOf(schema, root).set
  const strings =
    !isEmpty(domainOf({ ...flagged(0), strings: set.strings }, false)) &&
    !isEmpty(domainOf({ ...flagged(0), strings: values.strings }, false))
  const booleans = isTrue | isFalse
  return (
    strings || (set.numbers.length > 0 && values.numbers.length > 0) || ((set.flags & booleans) !== 0 && (values.flags & booleans) !== 0)
  )
}

/** What the schema takes, as a message says it. */
export function rangeOf({ schema, root }: { schema: JsonSchema; root: JsonSchema }): string {
  const { set, whole } = valuesOf(schema, root)
  const names = choicesOf(set)
  if (names.length > 0)
    return names
      .slice(0, 8)
      .map(name => `\`${name}\``)
      .join(', ')
  const parts: string[] = []
  for (const { low, lowOpen, high, highOpen } of set.numbers.slice(0, 3)) {
    if (Number.isFinite(Number(low))) parts.push(`${lowOpen ? 'above' : 'at least'} ${low}`)
    if (Number.isFinite(Number(high))) parts.push(`${highOpen ? 'below' : 'at most'} ${high}`)
  }
  if (whole) parts.unshift('an integer')
  return parts.length > 0 ? parts.join(', ') : 'otherwise'
}
function choicesOf(set: ValueSet): readonly string[] {
  const { negated, basis } = set.strings
  return !negated && basis.kind === 'in' ? [...basis.values] : []
}
function helpOf({ set }: Comparison, { schema, root }: { schema: JsonSchema; root: JsonSchema }): { help?: string } {
  const [written] = choicesOf(set)
  const names = choicesOf(valuesOf(schema, root).set)
  const meant =
    written === undefined ? undefined : (names.find(name => name.toLowerCase() === written.toLowerCase()) ?? nearest(written, names))
  return meant === undefined ? {} : { help: `did you mean \`${meant}\`` }
}
