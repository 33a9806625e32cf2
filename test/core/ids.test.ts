// Ids of exchanges: unique and in order, and silent about what else goes on.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createIds } from '../../core/ids.ts'

test('no id comes twice and each sorts behind the one before, however the clock goes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_020 }), { maxLength: 200 }), times => {
      const newId = createIds('boot')
      const ids = times.map(newId)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.toSorted()).toEqual(ids)
    }),
  )
})

test('two ids do not tell how many came between them', () => {
  const first = Date.UTC(2026, 0, 1)
  const idAfter = (others: number): string => {
    const newId = createIds('boot')
    newId(first)
    for (let i = 0; i < others; i++) newId(first + 1 + i)
    return newId(first + 1000)
  }
  expect(idAfter(900)).toBe(idAfter(0))
})
