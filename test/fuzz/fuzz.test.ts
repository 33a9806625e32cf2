// The short form of `npm run fuzz`: each law over some inputs, what once broke one tried again, and a law that is broken is found out.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BATCH, inputAt, tryBatch } from './batch.ts'
import { readCorpus } from './corpus.ts'
import { fuzz } from './fuzz.ts'
import { hold, type Law, seedOfRun } from './law.ts'
import { targets } from './targets.ts'

const seed = seedOfRun()
/** Some cost microseconds, others a file. */
const RUNS: Readonly<Record<string, number>> = { config: 30, policy: 30 }
const names = Object.keys(targets)

describe.each(names)('%s', name => {
  test(`the laws hold of any input (FUZZ_SEED=${seed})`, { timeout: 60_000 }, async () => {
    for (const law of Object.values(await targets[name]!())) await hold(law, { seed, numRuns: RUNS[name] ?? 400 })
  })

  test('what broke a law once does so no more', async () => {
    const laws = await targets[name]!()
    for (const { law, input, file } of readCorpus().filter(({ target }) => target === name)) {
      expect(Object.keys(laws), file).toContain(law)
      await laws[law]!.holds(input)
    }
  })
})

test('each file of the corpus is of a target', () => {
  expect(readCorpus().filter(({ target }) => !names.includes(target))).toEqual([])
})

/** Broken by 1,000 and more, and by nothing less. */
const small: Law<{ readonly count: number; readonly notes: readonly string[] }> = {
  input: fc.record({ count: fc.nat(100_000), notes: fc.array(fc.string()) }),
  holds({ count }) {
    if (count >= 1000) throw new Error(`${count} is too much`)
  },
}

test('an input that breaks a law is made as small as can be, kept as a file, and read back', async () => {
  const corpus = mkdtempSync(join(tmpdir(), 'mcpgw-fuzz-'))
  onTestFinished(() => rmSync(corpus, { recursive: true }))
  const { inputs, found } = await tryBatch({ target: 'sse', law: 'small', seed: 1, corpus }, small)
  expect(found?.why).toBe('Error: 1000 is too much')
  expect(inputs).toBeLessThan(BATCH)
  expect(readCorpus(corpus)).toEqual([
    { file: relative(corpus, found!.file), target: 'sse', law: 'small', input: { count: 1000, notes: [] } },
  ])
  expect(() => small.holds(readCorpus(corpus)[0]!.input as { count: number; notes: [] })).toThrow('1000 is too much')
})

test('the input that a batch stands at is told from its seed', async () => {
  const seen: unknown[] = []
  await tryBatch({ target: 'sse', law: 'any', seed: 7 }, { ...small, holds: () => {} }, one => seen.push(one))
  expect(seen).toHaveLength(BATCH)
  for (const at of [0, 1, BATCH - 1]) expect(inputAt(small, 7, at)).toEqual(seen[at])
  expect(inputAt(small, 7, BATCH)).toBeUndefined()
})

test('targets are tried side by side until it is told to end', async () => {
  const end = new AbortController()
  const say = (line: string): void => {
    if (/json [1-9].*sse [1-9]/.test(line)) end.abort()
  }
  const outcomes = await fuzz({ names: ['json', 'sse'], seed, until: end.signal, say, lookMs: 100 })
  expect(outcomes.map(({ name, found }) => [name, found])).toEqual([
    ['json', []],
    ['sse', []],
  ])
  for (const { inputs } of outcomes) expect(inputs).toBeGreaterThanOrEqual(BATCH)
})
