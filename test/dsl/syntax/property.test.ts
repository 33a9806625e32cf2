// What the grammar allows is read, whatever white space and comments it stands in; the formatter keeps all of it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatChecked } from '../../../dsl/formatter/checked.ts'
import { parsePolicy } from '../../../dsl/syntax/parse.ts'
import { policyText } from './texts.ts'

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const numRuns = Number(process.env.FUZZ_RUNS ?? (process.env.CI === undefined ? 300 : 3000))
const timeout = Math.max(60_000, numRuns * 40)

test(`each file of the grammar is read without a finding, and formatted without loss, once and for all (FUZZ_SEED=${seed})`, {
  timeout,
}, () => {
  fc.assert(
    fc.property(policyText, text => {
      const { file, diagnostics } = parsePolicy({ file: 'a.policy', text })
      expect(diagnostics).toEqual([])
      for (const item of file!.items)
        expect(text.slice(item.span.start, item.span.end).trim()).toHaveLength(item.span.end - item.span.start)
      const formatted = formatChecked({ file: 'a.policy', text })
      expect(formatted).toHaveProperty('text')
    }),
    { numRuns, seed },
  )
})
