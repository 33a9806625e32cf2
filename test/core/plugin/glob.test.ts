// Patterns of names mean the same wherever a setting has one.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGlob } from '../../../core/plugin/glob.ts'

const unit = fc.constantFrom('a', 'b', '*', '.', '[', '\\', '_')
const pattern = fc.string({ unit, maxLength: 8 })
const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '[', '\\', '_', '\n'), maxLength: 12 })

test('a pattern fits what the regular expression fits that has `.*` for each of its asterisks', () => {
  fc.assert(
    fc.property(pattern, name, (glob, text) => {
      const parts = glob.split('*').map(part => part.replaceAll(/[.[\\]/g, '\\$&'))
      expect(compileGlob(glob)(text)).toBe(new RegExp(`^${parts.join('.*')}$`, 's').test(text))
    }),
    { numRuns: 2000 },
  )
})

test('a pattern fits whatever is put in the place of its asterisks', () => {
  fc.assert(
    fc.property(pattern, fc.array(name, { minLength: 8, maxLength: 8 }), (glob, texts) => {
      let at = 0
      expect(compileGlob(glob)(glob.replaceAll('*', () => texts[at++ % 8]!))).toBe(true)
    }),
  )
})

test('an absent pattern fits every name', () => {
  fc.assert(
    fc.property(name, text => {
      expect(compileGlob()(text)).toBe(true)
    }),
  )
})
