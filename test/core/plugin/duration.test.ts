// Spans of time are read the same wherever somebody writes one; what differs is which units and sizes are taken.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DurationUnit, readDuration, writeDuration } from '../../../core/plugin/duration.ts'

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const all = Object.keys(MS) as DurationUnit[]
const parts = fc.array(fc.record({ amount: fc.nat({ max: 100_000 }), unit: fc.constantFrom(...all) }), { minLength: 1, maxLength: 5 })
const written = (given: readonly { readonly amount: number; readonly unit: DurationUnit }[]): string =>
  given.map(({ amount, unit }) => `${amount}${unit}`).join('')

test('a span is the sum of its parts, where each has a unit that is taken', () => {
  fc.assert(
    fc.property(parts, fc.subarray(all), (given, units) => {
      const sum = given.reduce((ms, { amount, unit }) => ms + amount * MS[unit], 0)
      const isTaken = sum > 0 && given.every(({ unit }) => units.includes(unit))
      expect(readDuration(written(given), { units })).toBe(isTaken ? sum : undefined)
    }),
  )
})

test('a span is taken up to the most that there may be, and no longer', () => {
  fc.assert(
    fc.property(parts, fc.nat(), (given, most) => {
      const ms = readDuration(written(given), { units: all })
      expect(readDuration(written(given), { units: all, most })).toBe(ms !== undefined && ms <= most ? ms : undefined)
    }),
  )
})

test('what is written is read as the same span, in the largest unit that divides it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.constantFrom(...all), fc.subarray(all), (amount, unit, others) => {
      const units: readonly DurationUnit[] = ['ms', ...others]
      const ms = amount * MS[unit]
      const text = writeDuration(ms, units)
      expect(readDuration(text, { units })).toBe(ms)
      const shown = text.replace(/^\d+/, '') as DurationUnit
      for (const larger of units.filter(one => MS[one] > MS[shown])) expect(ms % MS[larger]).not.toBe(0)
    }),
  )
})

test.each([
  '',
  '5',
  's',
  '5 s',
  ' 5s',
  '5s ',
  '5s\n',
  '-5s',
  '1.5h',
  '5sec',
  '5S',
  '0s',
  '0ms0h',
  '٥s',
  '9007199254740992ms',
  `${'9'.repeat(400)}w`,
])('no span: %j', text => {
  expect(readDuration(text, { units: all })).toBeUndefined()
})

test('a number may have so many digits', () => {
  expect(readDuration('000000030s', { units: ['s'], digits: 9 })).toBe(30_000)
  expect(readDuration('0000000030s', { units: ['s'], digits: 9 })).toBeUndefined()
})
