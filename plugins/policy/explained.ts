// How one call is decided, as JSON: what `policy explain --json` prints and the operation `policy_explain` answers.
import type { Evaluator, Facts } from 'mcpgw/policy'
import { toJson } from './commands/eval.ts'

export function explainCall(evaluator: Evaluator, facts: Facts): object {
  const decision = evaluator.decide(facts)
  const { because } = decision
  return { v: 1, ...toJson(decision), ...(because !== undefined && { because }), rules: evaluator.explain(facts) }
}
