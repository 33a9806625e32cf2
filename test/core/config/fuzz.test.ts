// Whatever stands in the file, loading it ends in a config or in findings: it never throws, and an error has a place.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitReferences } from '../../../core/config/interpolate.ts'
import { hold } from '../../fuzz/law.ts'
import { configsThatAreDamaged, treesOfKnownWords, whatResemblesYaml } from './laws.ts'

const laws = {
  'text that resembles YAML': whatResemblesYaml,
  'trees of known words': treesOfKnownWords,
  'a damaged config': configsThatAreDamaged,
}

for (const [name, law] of Object.entries(laws)) test(`${name} gives a config or findings`, () => hold(law, { numRuns: 300 }))

test('the pieces of a text with references give the text back', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('$', '{', '}', '${', '$${', '${A}', '${env:B}', '${secret:c}', 'x', ' ')), parts => {
      const text = parts.join('')
      const back = splitReferences(text).map(piece => (piece.kind === 'literal' ? piece.text.replaceAll('${', () => '$${') : piece.text))
      expect(back.join('')).toBe(text)
    }),
  )
})
