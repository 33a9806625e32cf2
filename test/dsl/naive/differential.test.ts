// Case 24: two evaluators that share no code decide alike; `npm run test:policy` asks them a million times.
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import { policyOf, write } from '../written.ts'
import { decideTwice } from './compare.ts'
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
        const { decision, wrong } = decideTwice(evaluator, file, { facts, deeds })
        if (wrong !== undefined) expect.fail(`${wrong}: ${inspect({ seed: at, call, facts, text: file.source.text }, { depth: 9 })}`)
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
