// Budgets: nobody passes one, however many calls are under way at once, and a restart forgets nothing.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBudgets, type Reservation } from '../../../plugins/meter/budgets.ts'
import { createDatabase, server } from '../../postgres/server.ts'
import { agent, createWorld, NOON } from './gateway.ts'

const DAY = 86_400_000
const ann = agent('ann')
const calls = (most: number, more: object = {}): object => ({ budgets: [{ tenant: 'acme', period: 'day', calls: most, ...more }] })

describe('at the gate', () => {
  test('a call above the limit is refused with its code, says when the period ends, and reaches no server', async () => {
    const world = createWorld()
    const gateway = await world.start(calls(2))
    for (let i = 0; i < 2; i++) expect((await gateway.call('crm', 'find', {}, ann)).refusal).toBeUndefined()
    const { refusal } = await gateway.call('crm', 'find', {}, ann)
    expect(refusal).toMatchObject({ code: 'budget-exceeded', reason: 'the budget is used up', retryAfter: DAY / 1000 / 2 })
    expect(gateway.upstream.received).toHaveLength(2)
    // Of another tenant it is not.
    expect((await gateway.call('crm', 'find', {}, agent('zoe', 'beta'))).refusal).toBeUndefined()
    expect(gateway.kernel.health.view().components).toContainEqual(
      expect.objectContaining({ name: 'meter', why: 'budgets: 1 used up; the log names them' }),
    )
    expect(gateway.log.filter(({ message }) => message === 'a budget is nearly used up')).toMatchObject([
      { fields: { budget: 'tenant acme: 2 of 2 calls this day' } },
    ])
  })

  test('calls under way count, and those that come to nothing give their place back', async () => {
    const world = createWorld()
    const gateway = await world.start(calls(3))
    let release!: () => void
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    gateway.upstream.on('crm', async () => {
      await gate
      return { content: [] }
    })
    const running = [1, 2, 3].map(() => gateway.call('crm', 'find', {}, ann))
    const over = await gateway.call('crm', 'find', {}, ann)
    expect(over.refusal?.code).toBe('budget-exceeded')
    release()
    expect((await Promise.all(running)).map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined])
  })

  test('what was used before a restart is used after it, and the next day begins anew', async () => {
    const world = createWorld()
    const first = await world.start(calls(2))
    await first.call('crm', 'find', {}, ann)
    await first.call('crm', 'find', {}, ann)
    // Nothing but the log has them.
    await first.stop()
    const second = await world.start(calls(2))
    expect((await second.call('crm', 'find', {}, ann)).refusal?.code).toBe('budget-exceeded')
    await world.clock.advance(DAY / 2)
    expect((await second.call('crm', 'find', {}, ann)).refusal).toBeUndefined()
  })

  test('units go by the price table; what is free is let through', async () => {
    const world = createWorld()
    const budgets = [{ consumer: '*', period: 'month', units: 5 }]
    const gateway = await world.start({ prices: [{ tool: 'export', units: 2 }], budgets })
    const codes: (string | undefined)[] = []
    for (const tool of ['export', 'export', 'export', 'find']) codes.push((await gateway.call('crm', tool, {}, ann)).refusal?.code)
    expect(codes).toEqual([undefined, undefined, 'budget-exceeded', undefined])
    // Each consumer has his own.
    expect((await gateway.call('crm', 'export', {}, agent('ben'))).refusal).toBeUndefined()
  })

  test.skipIf(server === undefined)('what another gateway on the same database lets in is taken over', async () => {
    const url = await createDatabase()
    const world = createWorld(url)
    const [a, b] = [await world.start(calls(3)), await world.start(calls(3))]
    await a.call('crm', 'find', {}, ann)
    await b.call('crm', 'find', {}, ann)
    await b.call('crm', 'find', {}, ann)
    await world.settle()
    await world.clock.advance(10_000)
    for (let tries = 0; (await a.call('crm', 'find', {}, ann)).refusal === undefined; tries++) {
      // What it let in beyond the limit is no more than what it did not know of.
      expect(tries).toBeLessThan(2)
      await new Promise(resolve => setTimeout(resolve, 200))
    }
  })
})

test('with any calls at once, those let in never pass the limit, and those settled are used', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('in' as const), who: fc.constantFrom('ann', 'ben'), units: fc.nat(700) }),
    fc.record({ kind: fc.constant('out' as const), at: fc.nat(20), isCall: fc.boolean() }),
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 3000 }),
      (steps, most, units) => {
        const budgets = createBudgets(
          [
            { tenant: 'acme', period: 'day', calls: most, warnAt: 80 },
            { consumer: '*', period: 'day', units, warnAt: 80 },
          ],
          () => {},
        )
        const running: { reservation: Reservation; who: string; units: number }[] = []
        const used = { calls: 0, ann: 0, ben: 0 } as Record<string, number>
        for (const one of steps) {
          if (one.kind === 'in') {
            const got = budgets.reserve({ tenant: 'acme', id: one.who }, one.units, NOON)
            const [callsNow, unitsNow] = [used.calls! + running.length, used[one.who]! + sum(running.filter(({ who }) => who === one.who))]
            const fits = callsNow + 1 <= most && (one.units === 0 || unitsNow + one.units <= units)
            expect('parts' in got).toBe(fits)
            if ('parts' in got) running.push({ reservation: got, who: one.who, units: one.units })
          } else if (running.length > 0) {
            const [ended] = running.splice(one.at % running.length, 1)
            budgets.settle(ended!.reservation, one.isCall ? ended!.units : undefined)
            if (one.isCall) used.calls! += 1
            if (one.isCall) used[ended!.who]! += ended!.units
          }
          expect(used.calls! + running.length).toBeLessThanOrEqual(most)
        }
      },
    ),
  )
})

const sum = (running: readonly { readonly units: number }[]): number => running.reduce((all, { units }) => all + units, 0)

test('what the store has takes the place of what was counted here, and of nothing that was not', () => {
  const budgets = createBudgets([{ tenant: 'acme', period: 'day', calls: 10, warnAt: 50 }], () => {})
  const who = { tenant: 'acme', id: 'ann' }
  const enter = (): Reservation => budgets.reserve(who, 0, NOON) as Reservation
  budgets.settle(enter(), 0)
  const late = enter()
  const mark = budgets.mark()
  budgets.settle(late, 0)
  const [period] = budgets.periods(NOON)
  // Ours before the mark, and six of others.
  budgets.load(period!, [{ ...who, calls: 7, units: 0 }], mark)
  expect('parts' in budgets.reserve(who, 0, NOON)).toBe(true)
  expect('parts' in budgets.reserve(who, 0, NOON)).toBe(true)
  expect('parts' in budgets.reserve(who, 0, NOON)).toBe(false)
  // A clock that is set back finds another day, and nothing used in it so far.
  expect('parts' in budgets.reserve(who, 0, NOON - DAY)).toBe(true)
})

test("what is logged and recorded of a consumer's budget does not say who he is", () => {
  const said: string[] = []
  const budgets = createBudgets([{ consumer: '*', period: 'day', calls: 1, warnAt: 80 }], text => said.push(text))
  const who = { tenant: 'acme', id: 'ann@example.com' }
  budgets.settle(budgets.reserve(who, 0, 0) as Reservation, 0)
  const refused = budgets.reserve(who, 0, 0)
  expect(refused).toMatchObject({ text: 'a consumer of tenant acme: 1 of 1 calls this day' })
  expect(said).toEqual(['a consumer of tenant acme: 1 of 1 calls this day'])
})
