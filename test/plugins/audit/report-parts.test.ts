// The parts of a report: periods of whole days, samples that are drawn again alike.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPeriod } from '../../../plugins/audit/commands/report-period.ts'
import { createSample } from '../../../plugins/audit/commands/report-sample.ts'

const iso = (text: string, now = Date.UTC(2026, 0, 15)): string[] | undefined => {
  const period = readPeriod(text, now)
  return period && [period.from, period.to].map(at => new Date(at).toISOString().slice(0, 16))
}

test.each([
  ['2026-11', ['2026-11-01T00:00', '2026-12-01T00:00']],
  ['2026-12', ['2026-12-01T00:00', '2027-01-01T00:00']],
  ['2026-11-01..2026-11-30', ['2026-11-01T00:00', '2026-12-01T00:00']],
  ['2028-02-29..2028-02-29', ['2028-02-29T00:00', '2028-03-01T00:00']],
  ['last-month', ['2025-12-01T00:00', '2026-01-01T00:00']],
])('%s is a period of whole days', (text, expected) => {
  expect(iso(text)).toEqual(expected)
})

test.each(['', '2026', '2026-13', '2026-1', '2026-02-30..2026-03-01', '2026-11-30..2026-11-01', '2026-11-01', 'last-week', '2026-11-01..'])(
  '"%s" is none',
  text => {
    expect(iso(text)).toBeUndefined()
  },
)

test('months follow one another without a gap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1971, max: 2200 }), fc.integer({ min: 1, max: 11 }), (year, month) => {
      const text = (of: number): string => `${year}-${String(of).padStart(2, '0')}`
      expect(readPeriod(text(month), 0)!.to).toBe(readPeriod(text(month + 1), 0)!.from)
    }),
  )
})

const draw = (ids: readonly string[], size: number, seed: string): string[] => {
  const sample = createSample<string>(size, seed)
  for (const id of ids) sample.add(id, () => id)
  expect(sample.of).toBe(ids.length)
  return [...sample.items()]
}
const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 40 })

test('what is drawn depends on the seed and what there is, not on its order, and a larger sample has all of a smaller one', () => {
  fc.assert(
    fc.property(ids, fc.nat(20), fc.string(), (all, size, seed) => {
      const drawn = draw(all, size, seed)
      expect(drawn).toHaveLength(Math.min(size, all.length))
      expect(new Set(draw(all.toReversed(), size, seed))).toEqual(new Set(drawn))
      expect(draw(all, size + 5, seed)).toEqual(expect.arrayContaining(drawn))
      expect(drawn).toEqual(all.filter(one => drawn.includes(one)))
    }),
  )
})

test('another seed draws others, and each about equally often', () => {
  const all = Array.from({ length: 20 }, (_, i) => `gw.b1:${i + 1}`)
  const hits = new Map<string, number>(all.map(id => [id, 0]))
  for (let seed = 0; seed < 2000; seed++) for (const id of draw(all, 5, String(seed))) hits.set(id, hits.get(id)! + 1)
  for (const count of hits.values()) expect(Math.abs(count - 500)).toBeLessThan(120)
})
