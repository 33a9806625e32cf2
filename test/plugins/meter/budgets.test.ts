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
        let number = 0
        for (const one of steps) {
          if (one.kind === 'in') {
            const got = budgets.reserve(`call-${number++}`, { tenant: 'acme', id: one.who }, one.units, NOON)
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

describe('what the store has', () => {
  const who = { tenant: 'acme', id: 'ann' }

  test('takes the place of what is recorded in it, and of nothing that is not', () => {
    const budgets = createBudgets([{ tenant: 'acme', period: 'day', calls: 10, warnAt: 50 }], () => {})
    const enter = (call: string): Reservation => budgets.reserve(call, who, 0, NOON) as Reservation
    const end = (seq: number, call: string): void => budgets.record({ seq, call, at: NOON, isCall: true, units: () => 0 })
    budgets.settle(enter('a'), 0)
    const late = enter('b')
    end(1, 'a')
    expect(budgets.begin()).toBe(1)
    end(2, 'b')
    budgets.settle(late, 0)
    const [period] = budgets.periods(NOON)
    // Ours until the first record, and six of others.
    budgets.load([{ period: period!, used: [{ ...who, calls: 7, units: 0 }] }], 1)
    expect('parts' in enter('c')).toBe(true)
    expect('parts' in enter('d')).toBe(true)
    expect('parts' in enter('e')).toBe(false)
    // A clock that is set back finds another day, and nothing used in it so far.
    expect('parts' in budgets.reserve('f', who, 0, NOON - DAY)).toBe(true)
  })

  test('with any order of ends, records, counts and reads, a budget has each call exactly once', () => {
    const step = fc.record({
      kind: fc.constantFrom('in', 'in', 'end', 'record', 'count', 'begin', 'load'),
      at: fc.nat(20),
      units: fc.nat(900),
      isCall: fc.boolean(),
    })
    const MOST = 1_000_000
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), steps => {
        const budgets = createBudgets([{ tenant: 'acme', period: 'day', units: MOST, warnAt: 80 }], () => {})
        const [period] = budgets.periods(NOON)
        const calls: { held: Reservation; units: number; isCall: boolean; isSettled: boolean; isRecorded: boolean }[] = []
        const log: typeof calls = []
        let counted = 0
        let told: number | undefined
        for (const { kind, at, units, isCall } of steps) {
          const pending = calls.filter(call => !call.isSettled || !call.isRecorded)
          const one = pending[at % Math.max(1, pending.length)]
          if (kind === 'in') {
            const held = budgets.reserve(`call-${calls.length}`, who, units, NOON) as Reservation
            calls.push({ held, units, isCall, isSettled: false, isRecorded: false })
          } else if (kind === 'end' && one?.isSettled === false) {
            one.isSettled = true
            budgets.settle(one.held, one.isCall ? one.units : undefined)
          } else if (kind === 'record' && one?.isRecorded === false) {
            one.isRecorded = true
            log.push(one)
            const cost = one.isCall ? one.units : 0
            budgets.record({ seq: log.length, call: one.held.call, at: NOON, isCall: one.isCall, units: () => cost })
          } else if (kind === 'count') {
            counted = Math.max(counted, log.length - (at % 3))
          } else if (kind === 'begin') {
            told = budgets.begin()
          } else if (kind === 'load' && told !== undefined) {
            counted = Math.max(counted, told)
            const units = sum(log.slice(0, counted).filter(call => call.isCall))
            budgets.load([{ period: period!, used: [{ ...who, calls: 0, units }] }], counted)
            told = undefined
          }
          const used = sum(calls.filter(call => call.isCall || (!call.isSettled && !call.isRecorded)))
          expect(budgets.reserve('over', who, MOST - used + 1, NOON)).toMatchObject({
            text: `tenant acme: ${used / 1000} of 1000 units this day`,
          })
        }
      }),
    )
  })

  test('how many budgets are used up is known without looking at each: it is right over any change of them', () => {
    const budgets = createBudgets([{ consumer: '*', period: 'day', calls: 2, warnAt: 50 }], () => {})
    const enter = (id: string, now = NOON): Reservation =>
      budgets.reserve(`${id}-${now}-${Math.random()}`, { tenant: 'acme', id }, 0, now) as Reservation
    const [ann] = [enter('ann'), enter('ann'), enter('ben')]
    expect(budgets.standing()).toEqual({ warned: 0, exhausted: 1 })
    enter('ben')
    for (const id of ['ann', 'ben']) expect(budgets.reserve('over', { tenant: 'acme', id }, 0, NOON)).toHaveProperty('waitMs')
    expect(budgets.standing()).toEqual({ warned: 2, exhausted: 2 })
    budgets.settle(ann!, undefined)
    expect(budgets.standing()).toEqual({ warned: 2, exhausted: 1 })
    enter('ben', NOON + DAY)
    expect(budgets.standing()).toEqual({ warned: 1, exhausted: 0 })
    const [period] = budgets.periods(NOON + DAY)
    budgets.begin()
    budgets.load([{ period: period!, used: [{ tenant: 'acme', id: 'ben', calls: 2, units: 0 }] }], 0)
    expect(budgets.standing()).toEqual({ warned: 1, exhausted: 1 })
  })
})

test("what is logged and recorded of a consumer's budget does not say who he is", () => {
  const said: string[] = []
  const budgets = createBudgets([{ consumer: '*', period: 'day', calls: 1, warnAt: 80 }], text => said.push(text))
  const who = { tenant: 'acme', id: 'ann@example.com' }
  budgets.settle(budgets.reserve('a', who, 0, 0) as Reservation, 0)
  const refused = budgets.reserve('b', who, 0, 0)
  expect(refused).toMatchObject({ text: 'a consumer of tenant acme: 1 of 1 calls this day' })
  expect(said).toEqual(['a consumer of tenant acme: 1 of 1 calls this day'])
})
