// One call put to both evaluators, and what they do not agree on.
import type { PolicyFile } from '../../../dsl/ast.ts'
import type { PolicyDecision } from '../../../dsl/decision.ts'
import type { Evaluator } from '../../../dsl/evaluator/evaluator.ts'
import { evaluateNaively, type Verdict } from './evaluate.ts'
import type { DrawnCall } from './generate.ts'

/** `wrong`: absent where they decide alike, and what is allowed is in lists. */
export function decideTwice(
  evaluator: Evaluator,
  file: PolicyFile,
  { facts, deeds }: DrawnCall,
): { readonly decision: PolicyDecision; readonly wrong?: string } {
  const decision = evaluator.decide(facts)
  const [got, wanted] = [JSON.stringify(verdictOf(decision)), JSON.stringify(evaluateNaively([file], facts, deeds))]
  if (got !== wanted) return { decision, wrong: `decided ${got}, and not ${wanted}` }
  if (decision.outcome !== 'allow' || facts.action === 'method') return { decision }
  const { action, server, name } = facts
  const shown = evaluator.narrow(facts.principal, { action, server, name }, facts.request.time)
  return { decision, ...(shown !== 'show' && { wrong: `allowed, and in lists: ${shown}` }) }
}

function verdictOf({ outcome, by, because, obligations, errors, shadow }: PolicyDecision): Verdict {
  const named = (name: string) => obligations.filter(duty => duty.name === name)
  return {
    outcome,
    by,
    because,
    redact: named('redact').flatMap(({ args }) => args.map(({ value }) => String(value))),
    log: named('log')[0]?.args[0]?.value as string | undefined,
    others: named('limit')
      .map(({ args }) => args.map(({ value }) => value).join())
      .toSorted(),
    errors: errors.map(({ rule, code }) => `${rule} ${code}`),
    shadow: shadow.map(({ rule, effect }) => `${effect} ${rule}`),
  }
}
