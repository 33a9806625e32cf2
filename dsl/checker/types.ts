// Does each condition fit the schemas of the tools that it may meet, in type and in cost?
import { conditionsOf } from '../analysis/rules.ts'
import { fieldOf, maxItemsOf } from '../analysis/schema.ts'
import { placesBySchema } from '../analysis/schemas.ts'
import type { ResolvedRule } from '../bundle/bundle.ts'
import { describe, mayBe } from '../cel/cel-type.ts'
import type { Condition } from '../cel/condition.ts'
import { affordable, worstSteps } from '../cel/cost.ts'
import { stepBudget } from '../cel/run.ts'
import { checkTypes } from '../cel/types.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { JsonSchema, Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

export const checkSchemas: Check = function* ({ rules }, { lock }) {
  for (const rule of rules) {
    for (const condition of [rule.when, rule.unless]) if (condition) yield* ofCondition(rule, condition, lock)
  }
}

function* ofCondition(rule: ResolvedRule, condition: Condition, lock: Lock | undefined): Generator<Diagnostic> {
  const places = placesBySchema(rule, lock, conditionsOf(rule))
  if (!places || places.length === 0) {
    yield* typesOf(condition, new Map())
    return
  }
  const found = new Map<string, { readonly diagnostic: Diagnostic; readonly where: string; count: number }>()
  for (const { server, name, schema } of places) {
    for (const diagnostic of [...typesOf(condition, new Map([['args', schema]])), ...costOf(condition, schema)]) {
      const key = `${diagnostic.code} ${diagnostic.span.start} ${diagnostic.span.end}`
      const before = found.get(key)
      if (before) before.count++
      else found.set(key, { diagnostic, where: `${server}/${name}`, count: 1 })
    }
  }
  for (const { diagnostic, where, count } of found.values()) {
    // Where some tool has the argument, the condition may be meant for that one.
    if (diagnostic.code === 'unknown-argument' && count < places.length) continue
    const among = places.length > 1 && diagnostic.code !== 'unknown-argument' ? ` (for \`${where}\`)` : ''
    yield { ...diagnostic, message: `${diagnostic.message}${among}` }
  }
}

function typesOf(condition: Condition, schemas: ReadonlyMap<string, JsonSchema>): readonly Diagnostic[] {
  const { diagnostics, typeOf } = checkTypes(condition, schemas)
  const type = typeOf(condition.ast)
  if (!type || mayBe(type, 'bool') || diagnostics.some(one => one.code === 'cel-not-boolean')) return diagnostics
  const message = `a condition must be true or false, found ${describe(type)}`
  return [...diagnostics, finding('cel-not-boolean', condition.span, message, { help: 'compare it with something' })]
}

/** Lists may be longer than what is assumed where no schema says. */
function costOf(condition: Condition, schema: JsonSchema): readonly Diagnostic[] {
  const steps = worstSteps(condition.ast, path => {
    if (path[0] !== 'args' || path.length < 2) return undefined
    const field = fieldOf(schema, path.slice(1))
    const most = field.kind === 'declared' ? maxItemsOf(field.schema, schema) : Number.POSITIVE_INFINITY
    return Number.isFinite(most) ? most : undefined
  })
  if (affordable(steps)) return []
  return [
    finding(
      'cel-budget',
      condition.span,
      `up to ${steps} steps for lists as long as the schema allows; at most ${stepBudget} are allowed`,
      {
        help: 'walk over one list at a time',
      },
    ),
  ]
}
