// What the sum of a window tells about an event of unknown fate: what follows from it, and nothing else.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Billing } from '../../../plugins/stripe/billing.ts'
import { type Line, newAttempt } from '../../../plugins/stripe/line.ts'
import { decideFate, settle } from '../../../plugins/stripe/settle.ts'
import type { OutboxReader } from '../../../plugins/stripe/store/outbox.ts'
import { createWorld, DAY, HOUR, run, START } from './billing-world.ts'

const lineOf = (id: string, sent: number, attempt: Partial<Line['attempt']> = {}): Line => ({
  id,
  tenant: id,
  event: 'calls',
  of: 'calls',
  start: START,
  end: START + HOUR,
  used: 0,
  wanted: 0,
  sent,
  attempt: { ...newAttempt, customer: 'cus_1', ...attempt },
})
const open = (id: string, sent: number, value: number): Line => lineOf(id, sent, { state: 'open', value })

test('one event: it is in, or out, or the sum has something of others', () => {
  const line = open('a', 5, 3)
  expect([8, 5, 6, 0].map(sum => decideFate(line, [line], sum))).toEqual(['counted', 'not-counted', 'unknown', 'unknown'])
})

test('a cancellation: the event is out, or still in', () => {
  const line = lineOf('a', 5, { state: 'open', kind: 'cancel', value: 2 })
  expect([3, 5, 4].map(sum => decideFate(line, [line], sum))).toEqual(['counted', 'not-counted', 'unknown'])
})

test('whatever else in the window is unknown, a fate is only told where it is the true one', () => {
  const value = fc.integer({ min: 1, max: 4 })
  const one = fc.record({ sent: fc.nat(3), value, isOpen: fc.boolean(), isIn: fc.boolean() })
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), all => {
      const lines = all.map((line, i) => (line.isOpen || i === 0 ? open(`l${i}`, line.sent, line.value) : lineOf(`l${i}`, line.sent)))
      const sum = all.reduce((total, line, i) => total + line.sent + ((line.isOpen || i === 0) && line.isIn ? line.value : 0), 0)
      const fate = decideFate(lines[0]!, lines, sum)
      expect(['unknown', all[0]!.isIn ? 'counted' : 'not-counted']).toContain(fate)
    }),
  )
})

test('a window in which something was sent within the hour is not judged yet, for the sum may lack it', async () => {
  const now = START + 2 * DAY
  const line = lineOf('a', 0, { state: 'open', value: 7, unsure: START, tried: START })
  const judge = async (other: Line): Promise<readonly string[]> => {
    const fates: string[] = []
    await settle([line], {
      billing: { sum: async () => 7 } as unknown as Billing,
      meters: new Map([['calls', { id: 'mtr_1', customerKey: 'c', valueKey: 'v' }]]),
      reader: {
        beside: async () => [line, other].filter(({ attempt }) => attempt.customer === line.attempt.customer),
      } as unknown as OutboxReader,
      writer: { commit: async () => {}, close: async () => {} },
      now: () => now,
      signal: new AbortController().signal,
      onSettled: (_, fate) => fates.push(fate),
    })
    return fates
  }
  // Counted just now, and not in the sum of 7 yet: it would seem that the other one is out.
  expect(await judge(lineOf('b', 7, { tried: now - HOUR / 2 }))).toEqual([])
  expect(await judge(lineOf('b', 7, { tried: now - 2 * HOUR }))).toEqual(['not-counted'])
  expect(await judge(lineOf('b', 7, { tried: now - HOUR / 2, customer: 'cus_2' }))).toEqual(['counted'])
})

test('an event that Stripe fails on again and again is in the way of no other', async () => {
  const w = await createWorld()
  w.usage.add({ at: START, calls: 7 })
  for (let i = 1; i < 20; i++) w.usage.add({ at: START + i * HOUR, calls: 1 })
  const oldest = `timestamp=${(START + HOUR) / 1000 - 1}`
  w.stripe.fault = ({ body }) => (body.includes(oldest) ? '500' : undefined)
  w.clock.pass(22 * HOUR)
  await run(w, w.start(), HOUR)
  expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(19)
})

test('an event whose sum Stripe does not tell is in the way of no other', async () => {
  const w = await createWorld()
  w.usage.add({ at: START, calls: 7 })
  w.usage.add({ at: START, calls: 5, tenant: 'globex' })
  w.clock.pass(2 * HOUR)
  w.stripe.fault = ({ path }) => (path === '/v1/billing/meter_events' ? '500' : undefined)
  const worker = w.start()
  await run(w, worker, 10 * 60_000)
  w.clock.pass(DAY)
  // The customer was removed meanwhile: there is no sum of his, ever.
  w.stripe.fault = ({ path, query }) => (path.endsWith('/event_summaries') && query.includes('cus_acme') ? '500' : undefined)
  w.usage.add({ at: START + 20 * HOUR, calls: 3 })
  await run(w, worker, 3 * HOUR)
  expect(w.stripe.total('cus_globex', 'tool_calls')).toBe(5)
  expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(3)
})
