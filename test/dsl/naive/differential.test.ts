// Case 24: two evaluators that share no code decide alike; `npm run test:policy` asks them a million times.
import { expect, test } from 'vitest'
import type { PolicyDecision } from '../../../dsl/decision.ts'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import { policyOf, write } from '../written.ts'
import { evaluateNaively, type Verdict } from './evaluate.ts'
import { drawCall, drawFile, drawFrom } from './generate.ts'

const pairs = Number(process.env.FUZZ_RUNS ?? 6000)
const seed = Number(process.env.FUZZ_SEED ?? 4711)
const CALLS = 25

test(
  'both decide every call alike, and verdicts are mixed',
  () => {
    const mix = { allow: 0, 'deny by rule': 0, 'deny by default': 0, 'with obligations': 0, 'with errors': 0, 'with shadow': 0 }
    let asked = 0
    for (let bundle = 0; asked < pairs; bundle++) {
      const at = seed + bundle
      const draw = drawFrom(at)
      const file = write(drawFile(draw))
      const evaluator = createEvaluator(policyOf(file))
      for (let call = 0; call < CALLS; call++, asked++) {
        const { facts, deeds } = drawCall(draw)
        const decision = evaluator.decide(facts)
        const [got, wanted] = [JSON.stringify(verdictOf(decision)), JSON.stringify(evaluateNaively([file], facts, deeds))]
        if (got !== wanted) expect({ seed: at, call, facts, text: file.source.text, verdict: got }).toEqual({ verdict: wanted })
        if (decision.outcome === 'allow' && facts.action !== 'method') {
          const { action, server, name } = facts
          const shown = evaluator.narrow(facts.principal, { action, server, name }, facts.request.time)
          if (shown !== 'show') expect({ seed: at, call, facts, text: file.source.text }).toBe('shown')
        }
        mix[decision.outcome === 'allow' ? 'allow' : decision.by === 'default' ? 'deny by default' : 'deny by rule']++
        if (decision.obligations.length > 0) mix['with obligations']++
        if (decision.errors.length > 0) mix['with errors']++
        if (decision.shadow.length > 0) mix['with shadow']++
      }
    }
    console.log(
      `${asked} pairs from seed ${seed}: ${Object.entries(mix)
        .map(([what, count]) => `${what} ${((100 * count) / asked).toFixed(1)} %`)
        .join(', ')}`,
    )
    for (const [what, count] of Object.entries(mix)) expect(count / asked, what).toBeGreaterThan(0.03)
  },
  60_000 + pairs,
)

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
