// Which instance takes a call: in turn and fairly, the least loaded, or for one caller the same; and never one that does not fit.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createChoice, drawOf } from '../../../core/upstream/choice.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `http://10.0.0.${index}/mcp`)
const all = () => true
const owners = (count: number) => Array.from({ length: count }, (_, index) => `acme\0user-${index}\0key\0`)
const balances = fc.constantFrom('round-robin' as const, 'least-pending' as const, 'by-principal' as const)

describe('whatever the balance', () => {
  it('one that does not fit is never chosen, and one is chosen wherever one fits', () => {
    fc.assert(
      fc.property(
        balances,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        fc.array(fc.string(), { maxLength: 30 }),
        (balance, fit, callers) => {
          const choice = createChoice(balance, names(fit.length), index => (index * 7) % 5)
          for (const caller of callers) {
            const found = choice.next(caller, index => fit[index]!)
            if (fit.includes(true)) expect(fit[found!]).toBe(true)
            else expect(found).toBeUndefined()
          }
        },
      ),
    )
  })
})

describe('round-robin', () => {
  it('gives each of those that fit as many calls as any other, but for one', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 200 }), (fit, calls) => {
        fc.pre(fit.includes(true))
        const choice = createChoice('round-robin', names(fit.length), () => 0)
        const counts = fit.map(() => 0)
        for (let call = 0; call < calls; call++) counts[choice.next('', index => fit[index]!)!]!++
        const fitting = counts.filter((_, index) => fit[index])
        expect(Math.max(...fitting) - Math.min(...fitting)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('least-pending', () => {
  it('takes one with the least to do, and those with as much in turn', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 100 }),
        (first, calls) => {
          const loads = [...first]
          const choice = createChoice('least-pending', names(loads.length), index => loads[index]!)
          for (let call = 0; call < calls; call++) {
            const found = choice.next('', all)!
            expect(loads[found]).toBe(Math.min(...loads))
            loads[found]!++
          }
        },
      ),
    )
    const idle = createChoice('least-pending', names(3), () => 0)
    expect(Array.from({ length: 6 }, () => idle.next('', all))).toEqual([0, 1, 2, 0, 1, 2])
  })
})

describe('by-principal', () => {
  it('is the same for one caller whatever others do, and moves him only while his own does not fit', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 2, max: 8 }), fc.array(fc.string(), { maxLength: 10 }), (caller, count, others) => {
        const choice = createChoice('by-principal', names(count), () => 0)
        const own = choice.next(caller, all)!
        for (const other of others) choice.next(other, all)
        expect(choice.next(caller, all)).toBe(own)
        expect(choice.next(caller, index => index !== own)).not.toBe(own)
        expect(choice.next(caller, all)).toBe(own)
      }),
    )
  })

  it('moves only the callers of an instance that goes, and to one that comes only those that it takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.nat(), (count, pick) => {
        const gone = pick % count
        const before = createChoice('by-principal', names(count), () => 0)
        const rest = names(count).filter((_, index) => index !== gone)
        const after = createChoice('by-principal', rest, () => 0)
        for (const owner of owners(50)) {
          const was = names(count)[before.next(owner, all)!]!
          const is = rest[after.next(owner, all)!]!
          if (was !== names(count)[gone]) expect(is).toBe(was)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('spreads callers over all, in proportion to the weights', () => {
    const counts = [0, 0, 0]
    for (const owner of owners(3000)) counts[drawOf(owner, names(3), index => [1, 1, 2][index]!, all)!]!++
    expect(counts[0]).toBeGreaterThan(600)
    expect(counts[0]).toBeLessThan(900)
    expect(counts[2]).toBeGreaterThan(1350)
    expect(counts[2]).toBeLessThan(1650)
    expect(drawOf('x', names(2), () => 0, all)).toBeUndefined()
  })
})
