// Which conditions say nothing: a `when` that is never false, an `unless` that is never true?
import type { Formula } from '../analysis/formula.ts'
import { backgroundOf } from '../analysis/schema.ts'
import { placesBySchema } from '../analysis/schemas.ts'
import { isImpossible } from '../analysis/solve.ts'
import { truthsOf } from '../analysis/truth.ts'
import type { Condition } from '../cel/condition.ts'
import type { Check } from './context.ts'
import { impossibleComparisons } from './impossible-value.ts'
import { finding } from './tell.ts'

export const checkAlwaysTrue: Check = function* ({ rules }, { lock }) {
  for (const rule of rules) {
    const cases: readonly (readonly [Condition | undefined, 'yes' | 'no', string])[] = [
      [rule.when, 'no', 'false'],
      [rule.unless, 'yes', 'true'],
    ]
    for (const [condition, side, word] of cases) {
      if (!condition) continue
      const truths = truthsOf(condition.ast)
      // Never true and never false: it is an ERROR for every call, which others tell.
      if (isImpossible(truths[side === 'no' ? 'yes' : 'no'])) continue
      const clause = side === 'no' ? 'when' : 'unless'
      const never = (formula: Formula): boolean => isImpossible(formula)
      const places = placesBySchema(rule, lock, [condition.ast])
      const byLogic = never(truths[side])
      const bySchema =
        !byLogic &&
        places !== undefined &&
        places.length > 0 &&
        places.every(place => isImpossible(truths[side], backgroundOf(place.schema)))
      if (!byLogic && (!bySchema || impossibleComparisons(rule, lock).length > 0)) continue
      const reason = bySchema ? ' for arguments that the schemas of its tools allow' : ''
      yield finding('always-true', condition.span, `the \`${clause}\` of \`${rule.name}\` is never ${word}${reason}`, {
        help: `take the \`${clause}\` out, or say what it should leave out`,
      })
    }
  }
}
