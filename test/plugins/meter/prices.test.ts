// The price table: whole thousandths, the first match, and nothing in the config that would make a sum inexact.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { config, type MeterConfig } from '../../../plugins/meter/config.ts'
import { outcomeKinds } from '../../../plugins/meter/outcome-kinds.ts'
import { createPrices, type Priced, targetOf } from '../../../plugins/meter/prices.ts'

const parse = (value: object): MeterConfig => {
  const { data, error } = config.safeParse(value) as { data?: MeterConfig; error?: { issues: { message: string; path: unknown[] }[] } }
  if (data === undefined) throw new Error(error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
  return data
}
const call = (more: Partial<Priced> = {}): Priced => ({
  action: 'tools/call',
  tenant: 'acme',
  server: 'crm',
  target: 'export_all',
  outcome: 'answered',
  requestBytes: 1000,
  resultBytes: 1048,
  upstreamMs: 1500,
  ...more,
})
const price = (prices: object[], more: Partial<Priced> = {}, defaultPrice = 0): bigint =>
  createPrices(parse({ prices, defaultPrice })).of(call(more))

describe('a config', () => {
  test.each([
    [{ prices: [{ units: -1 }] }, 'prices.0.units: expected 0 or more'],
    [{ prices: [{ units: 0.0001 }] }, 'prices.0.units: expected at most three decimals'],
    [{ prices: [{ units: Number.NaN }] }, 'prices.0.units: '],
    [{ prices: [{ units: Number.POSITIVE_INFINITY }] }, 'prices.0.units: '],
    [{ prices: [{ units: '1' }] }, 'prices.0.units: '],
    [{ prices: [{ units: 1e9 }] }, 'prices.0.units: expected at most 1000000'],
    [{ prices: [{ units: 1, per: 'byte' }] }, 'prices.0.per: '],
    [{ prices: [{ units: 1, tol: 'x' }] }, 'prices.0: '],
    [{ defaultPrice: -0.5 }, 'defaultPrice: expected 0 or more'],
    [{ budgets: [{ period: 'day', calls: 1 }] }, 'budgets.0: expected tenant or consumer'],
    [{ budgets: [{ tenant: 'a', period: 'day' }] }, 'budgets.0: expected either calls or units'],
    [{ budgets: [{ tenant: 'a', period: 'day', calls: 1, units: 1 }] }, 'budgets.0: expected either calls or units'],
    // Rounded, it would let nobody call.
    [{ budgets: [{ tenant: 'a', period: 'day', units: 0.0004 }] }, 'budgets.0.units: expected at most three decimals'],
    [{ budgets: [{ tenant: 'a', period: 'week', calls: 1 }] }, 'budgets.0.period: '],
    [{ budgets: [{ tenant: 'a', period: 'day', calls: 1.5 }] }, 'budgets.0.calls: '],
    [{ keep: 0 }, 'keep: '],
  ])('is refused as %j, and the field is named', (value, message) => {
    expect(() => parse(value)).toThrow(message)
  })

  test('holds every price with up to three decimals exactly', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), milli => {
        expect(parse({ prices: [{ units: milli / 1000 }] }).prices[0]!.units).toBe(milli)
      }),
    )
  })
})

test('the first rule that matches counts, and what none matches has the default', () => {
  const rules = [
    { tenant: 'beta', units: 9 },
    { server: 'crm', tool: 'export_*', units: 2 },
    { server: 'crm', units: 1 },
  ]
  expect(price(rules)).toBe(2000n)
  expect(price(rules, { tenant: 'beta' })).toBe(9000n)
  expect(price(rules, { target: 'find' })).toBe(1000n)
  expect(price(rules, { server: 'fs' }, 0.5)).toBe(500n)
})

test('by size and by time begun thousandths are charged whole', () => {
  expect(price([{ units: 1, per: 'kb' }])).toBe(2000n)
  expect(price([{ units: 0.001, per: 'kb' }], { requestBytes: 1, resultBytes: 0 })).toBe(1n)
  expect(price([{ units: 1, per: 'second' }])).toBe(1500n)
  // Of a log that somebody has changed.
  for (const odd of [-5, Number.NaN, 1e300, 'x' as unknown as number])
    expect(price([{ units: 1, per: 'second' }], { upstreamMs: odd })).toBe(0n)
})

test('paid is what was answered, kept back or not waited for; what failed is not, and an error of the tool as the rule says', () => {
  const paid = (rule: object): string[] => outcomeKinds.filter(outcome => price([{ units: 1, ...rule }], { outcome }) > 0n)
  expect(paid({})).toEqual(['answered', 'tool-error', 'cancelled', 'withheld'])
  expect(paid({ toolErrors: 'free' })).toEqual(['answered', 'cancelled', 'withheld'])
  for (const action of ['tasks/get', 'completion/complete', 'sampling/createMessage']) expect(price([{ units: 1 }], { action })).toBe(0n)
  expect(price([{ units: 1 }], { action: 'resources/read', target: 'file:///x' })).toBe(1000n)
})

test('what a call costs at least is no more than it does', () => {
  const rule = fc.record({ units: fc.nat(5000).map(milli => milli / 1000), per: fc.constantFrom('call', 'kb', 'second') })
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 3 }), fc.integer({ min: 1, max: 1e6 }), (prices, size) => {
      const table = createPrices(parse({ prices }))
      const one = call({ requestBytes: size, upstreamMs: size })
      expect(table.least(one) <= table.of(one)).toBe(true)
    }),
  )
})

test('uris and unknown methods are no tools: there is no end of them', () => {
  expect(targetOf({ action: 'resources/read', target: 'file:///patients/ann' })).toBe('resources/read')
  expect(targetOf({ action: 'x'.repeat(500), target: undefined })).toBe('other')
  expect(targetOf({ action: 'prompts/get', target: 'hello' })).toBe('hello')
})
