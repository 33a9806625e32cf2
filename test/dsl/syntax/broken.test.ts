// Policies that are broken in any way: the parser says what is wrong, in the order of the file, and never falls over.
import { expect, test } from 'vitest'
import { parsePolicy } from '../../../dsl/syntax/parse.ts'
import { hold, seedOfRun } from '../../fuzz/law.ts'
import { isReadOrExplained } from './broken.ts'

const seed = seedOfRun()
const numRuns = Number(process.env.FUZZ_RUNS ?? (process.env.CI === undefined ? 600 : 10_000))
const timeout = Math.max(60_000, numRuns * 40)

test(`any text is a policy or has findings with a place and a message (${numRuns} runs, FUZZ_SEED=${seed})`, { timeout }, async () => {
  let refused = 0
  const counted = isReadOrExplained.input.map(text => {
    if (parsePolicy({ file: 'a.policy', text }).diagnostics.length > 0) refused++
    return text
  })
  await hold({ ...isReadOrExplained, input: counted }, { numRuns, seed })
  expect(refused).toBeGreaterThan(numRuns / 2)
})
