// Usage is billed through Stripe once, whatever Stripe, the gateway and the clock do.
import { describe, expect, test } from 'vitest'
import { createWorld, DAY, HOUR, run, START } from './billing-world.ts'
import type { Fault } from './fake-stripe.ts'

describe.each(['v1', 'v2'] as const)('%s', api => {
  const world = (config: Record<string, unknown> = {}, deadline?: number) =>
    createWorld({ config: { api, ...config }, ...(deadline && { deadline }) })

  test('usage of a window is billed once it has ended and the grace is over, as one event for each tenant and meter', async () => {
    const w = await world()
    w.usage.add({ at: START, calls: 7 })
    w.usage.add({ at: START, calls: 5, target: 'write' })
    w.usage.add({ at: START, calls: 3, tenant: 'globex' })
    const worker = w.start()
    await run(w, worker, HOUR + 5 * 60_000)
    expect(w.stripe.ledger).toEqual([])
    await run(w, worker, HOUR)
    const timestamp = (START + HOUR) / 1000 - 1
    expect(w.stripe.ledger).toHaveLength(2)
    for (const [customer, value] of Object.entries({ cus_acme: 12, cus_globex: 3 }))
      expect(w.stripe.ledger).toContainEqual(expect.objectContaining({ customer, event: 'tool_calls', value, timestamp }))
    expect(await w.lines()).toEqual([])
    expect(w.health()).toBeUndefined()
  })

  test('a call that comes in late is billed as the difference', async () => {
    const w = await world()
    w.usage.add({ at: START, calls: 7 })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    w.usage.add({ at: START, calls: 2 })
    await run(w, worker, HOUR)
    expect(w.stripe.ledger.map(({ value }) => value)).toEqual([7, 2])
    expect(new Set(w.stripe.ledger.map(({ identifier }) => identifier)).size).toBe(2)
  })

  const faults: readonly Fault[] = [
    '500',
    '500-after',
    '429',
    'hang',
    'hang-after',
    'reset',
    'reset-after',
    'nonsense',
    'nonsense-after',
    'a-number-after',
    'html-502',
  ]
  test.each(faults)('Stripe answers three requests with %s, before and between events: each call is billed once', async fault => {
    const w = await world({}, 150)
    for (let i = 0; i < 6; i++) w.usage.add({ at: START + i * HOUR, calls: i + 1 })
    const worker = w.start()
    await worker.pass()
    let left = 3
    let count = 0
    w.stripe.fault = () => {
      count += 1
      if (left === 0 || count % 2 === 0) return undefined
      left -= 1
      return fault
    }
    await run(w, worker, 20 * HOUR)
    expect(left).toBe(0)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(21)
    expect(await w.lines()).toEqual([])
    expect(w.health()).toBeUndefined()
  })

  test('what was too much is cancelled within a day and billed anew', async () => {
    const w = await world()
    w.usage.add({ at: START, calls: 9 })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    w.usage.add({ at: START, calls: -4 })
    await run(w, worker, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(5)
    expect(await w.lines()).toEqual([])
  })

  test('what was too much and is found later than a day is a credit, which is reported', async () => {
    const w = await world()
    w.usage.add({ at: START, calls: 9 })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    w.clock.pass(DAY)
    w.usage.add({ at: START, calls: -4 })
    await run(w, worker, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(9)
    expect(w.health()).toMatch('1 lines were billed with more than was used')
  })

  test('what Stripe takes and finds invalid afterwards is no longer billed in the ledger, and an operator decides', async () => {
    const w = await world()
    w.stripe.invalidLater.add('cus_acme')
    w.usage.add({ at: START, calls: 9 })
    const worker = w.start()
    await run(w, worker, 4 * HOUR)
    expect(w.health()).toMatch('may be billed or not')
    expect(w.health()).toMatch('meter_event_customer_not_found')
    expect(await w.lines()).toMatchObject([{ wanted: 9, sent: 0, attempt: { state: 'uncertain', value: 9 } }])
  })
})

describe('the identifier', () => {
  test('is the same for the same attempt after a kill, and the event is counted once', async () => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 7 })
    w.clock.pass(2 * HOUR)
    // Killed when Stripe has answered and nothing is written of it yet.
    await w.start((write, when) => write === 4 && when === 'before').pass()
    expect(w.stripe.ledger).toHaveLength(1)
    expect(await w.lines()).toMatchObject([{ sent: 0, attempt: { state: 'open' } }])
    await run(w, w.start(), HOUR)
    const sent = w.stripe.requests
      .filter(({ path }) => path === '/v1/billing/meter_events')
      .map(({ body }) => new URLSearchParams(body).get('identifier'))
    expect(sent).toHaveLength(2)
    expect(new Set(sent).size).toBe(1)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(7)
    expect(await w.lines()).toEqual([])
  })

  test('is another one in another outbox', async () => {
    const identifiers: string[] = []
    for (let i = 0; i < 2; i++) {
      const w = await createWorld()
      w.usage.add({ at: START, calls: 7 })
      w.clock.pass(2 * HOUR)
      await w.start().pass()
      identifiers.push(w.stripe.ledger[0]!.identifier)
    }
    expect(new Set(identifiers).size).toBe(2)
  })
})

describe('case 34: Stripe answers 500 for 26 hours, then works; the gateway is killed twice in between', () => {
  test.each([
    ['before it counts', '500'],
    ['after it has counted', '500-after'],
  ] as const)('%s: every call is billed exactly once', async (_, fault) => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 40 })
    w.usage.add({ at: START, calls: 2, tenant: 'globex' })
    const isKilled = [false, false]
    let worker = w.start(() => isKilled[0]!)
    await run(w, worker, HOUR)
    const isEvent = ({ path }: { path: string }): boolean => path === '/v1/billing/meter_events'
    let isDown = true
    // While it is down, it answers no question, either.
    w.stripe.fault = request => (isDown ? (isEvent(request) ? fault : '500') : undefined)
    await run(w, worker, HOUR / 2)
    isKilled[0] = true
    await run(w, worker, 9 * HOUR)
    expect(w.health()).toMatch('killed')
    worker = w.start((_write, when) => isKilled[1]! && when === 'after')
    w.usage.add({ at: START + 5 * HOUR, calls: 8 })
    await run(w, worker, 8 * HOUR)
    isKilled[1] = true
    w.usage.add({ at: START + 6 * HOUR, calls: 1 })
    await run(w, worker, HOUR)
    expect(w.health()).toMatch('killed')
    worker = w.start()
    await run(w, worker, 9 * HOUR)
    expect(w.clock.now() - START).toBeGreaterThan(26 * HOUR)
    expect(w.health()).toMatch(/usage waits to be billed for \d+ h/)
    isDown = false
    await run(w, worker, 3 * HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(49)
    expect(w.stripe.total('cus_globex', 'tool_calls')).toBe(2)
    expect(await w.lines()).toEqual([])
    expect(w.health()).toBeUndefined()
  })

  test('what had become older than 35 days meanwhile is reported, and not dropped', async () => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 40 })
    let isDown = true
    w.stripe.fault = () => (isDown ? '500' : undefined)
    const worker = w.start()
    for (let day = 0; day < 36; day++) {
      w.clock.pass(DAY)
      await worker.pass()
    }
    isDown = false
    await run(w, worker, 2 * HOUR)
    expect(w.stripe.ledger).toEqual([])
    expect(w.health()).toMatch('1 lines are too old for Stripe and not billed')
    expect(await w.lines()).toMatchObject([{ wanted: 40, sent: 0 }])
  })
})

describe('what cannot be known', () => {
  test('an event of unknown fate in a window with a sum of others is left to an operator, and never billed twice', async () => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 40 })
    w.clock.pass(2 * HOUR)
    w.stripe.fault = ({ path }) => (path === '/v1/billing/meter_events' ? '500-after' : undefined)
    const worker = w.start()
    await worker.pass()
    const foreign = { ...w.stripe.ledger[0]!, identifier: 'of somebody else', value: 1 }
    w.stripe.ledger.push(foreign)
    w.stripe.fault = () => '500'
    await run(w, worker, DAY)
    w.stripe.fault = () => undefined
    await run(w, worker, 2 * HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(41)
    expect(w.health()).toMatch('1 lines may be billed or not')
  })

  test('after the clock was set back by a day nothing is repeated: the sum of Stripe decides', async () => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 40 })
    w.clock.pass(2 * HOUR)
    w.stripe.fault = ({ path }) => (path === '/v1/billing/meter_events' ? '500-after' : undefined)
    const worker = w.start()
    await worker.pass()
    w.stripe.fault = () => '500'
    w.clock.pass(20 * HOUR)
    await worker.pass()
    w.clock.step(-19 * HOUR)
    await run(w, worker, 20 * HOUR)
    w.stripe.fault = () => undefined
    await run(w, worker, 3 * HOUR)
    expect(w.stripe.requests.filter(({ path }) => path === '/v1/billing/meter_events').length).toBeLessThan(5)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(40)
    expect(await w.lines()).toEqual([])
  })
})

describe('who is billed', () => {
  test('a tenant without a customer is held and reported, and billed once he has one', async () => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 4, tenant: 'initech' })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    expect(w.health()).toMatch('1 lines have no customer or no meter in the config')
    await worker.stop()
    ;(w.config.customers as Record<string, string>).initech = 'cus_initech'
    await run(w, w.start(), HOUR)
    expect(w.stripe.total('cus_initech', 'tool_calls')).toBe(4)
  })

  test('ignore: such a tenant is never billed, also when he has a customer later', async () => {
    const w = await createWorld({ config: { unknownCustomer: 'ignore' } })
    w.usage.add({ at: START, calls: 4, tenant: 'initech' })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    expect(w.health()).toBeUndefined()
    expect(await w.all()).toEqual([])
  })

  test('a customer that Stripe does not know is refused and tried again each hour, and the others are billed', async () => {
    const w = await createWorld({ config: { customers: { acme: 'cus_nobody', globex: 'cus_globex' } } })
    w.usage.add({ at: START, calls: 4 })
    w.usage.add({ at: START, calls: 5, tenant: 'globex' })
    const worker = w.start()
    await run(w, worker, 3 * HOUR)
    expect(w.stripe.total('cus_globex', 'tool_calls')).toBe(5)
    expect(w.health()).toMatch('1 lines are refused by Stripe')
    w.stripe.customers.add('cus_nobody')
    await run(w, worker, 2 * HOUR)
    expect(w.stripe.total('cus_nobody', 'tool_calls')).toBe(4)
    expect(w.health()).toBeUndefined()
  })

  test('a meter that does not sum up is not billed with, for it would count events', async () => {
    const w = await createWorld()
    w.stripe.meters.set('tool_calls', { formula: 'count', status: 'active' })
    w.usage.add({ at: START, calls: 4 })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    expect(w.stripe.ledger).toEqual([])
    expect(await w.lines()).toMatchObject([{ attempt: { error: 'the meter does not sum up: its formula is count' } }])
  })

  test('several meters count what their patterns fit; units are whole, and what is left of one is not billed', async () => {
    const w = await createWorld({
      config: {
        meters: [
          { event: 'tool_calls', tool: 'read*' },
          { event: 'units', of: 'units' },
          { event: 'fine', of: 'thousandths', server: 'files' },
        ],
      },
    })
    w.stripe.meters.set('units', { formula: 'sum', status: 'active' }).set('fine', { formula: 'sum', status: 'active' })
    w.usage.add({ at: START, calls: 4, milliUnits: 2600, target: 'read_all' })
    w.usage.add({ at: START, calls: 3, milliUnits: 900, target: 'write', server: 'db' })
    await run(w, w.start(), 2 * HOUR)
    expect(['tool_calls', 'units', 'fine'].map(event => w.stripe.total('cus_acme', event))).toEqual([4, 3, 2600])
  })

  test('what fits two entries of one meter counts once', async () => {
    const meters = [
      { event: 'tool_calls', tool: 'read*' },
      { event: 'tool_calls', tool: '*_all' },
      { event: 'tool_calls', server: 'db' },
    ]
    const w = await createWorld({ config: { meters } })
    for (const [target, calls] of Object.entries({ read_all: 4, write_all: 2, read_one: 1, write: 8 }))
      w.usage.add({ at: START, calls, target })
    w.usage.add({ at: START, calls: 16, target: 'read_all', server: 'db' })
    await run(w, w.start(), 2 * HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(23)
  })

  test('what was used before `since` is not billed, nor what was used before billing first ran', async () => {
    const w = await createWorld({ config: { since: '2026-11-29' } })
    w.usage.add({ at: START, calls: 4 })
    w.usage.add({ at: START + 12 * HOUR, calls: 5 })
    await run(w, w.start(), 14 * HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(5)
    expect(w.health()).toBeUndefined()
    const fresh = await createWorld({ config: { since: undefined } })
    fresh.usage.add({ at: START - 2 * HOUR, calls: 4 })
    fresh.usage.add({ at: START + HOUR, calls: 5 })
    await run(fresh, fresh.start(), 3 * HOUR)
    expect(fresh.stripe.total('cus_acme', 'tool_calls')).toBe(5)
  })

  test('a dry run that came before is no beginning; one that comes in between takes nothing from what is billed', async () => {
    const w = await createWorld({ config: { since: undefined, dryRun: true } })
    const config = w.config as { dryRun: boolean }
    const runFor = async (dryRun: boolean, ms: number): Promise<void> => {
      config.dryRun = dryRun
      const worker = w.start()
      await run(w, worker, ms)
      await worker.stop()
    }
    w.usage.add({ at: START, calls: 1 })
    await runFor(true, 3 * HOUR)
    w.usage.add({ at: START + 3 * HOUR, calls: 2 })
    await runFor(false, 2 * HOUR)
    w.usage.add({ at: START + 5 * HOUR, calls: 4 })
    await runFor(true, 2 * HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(2)
    await runFor(false, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(6)
    expect(w.health()).toBeUndefined()
  })

  test('a dry run keeps account and sends nothing', async () => {
    const w = await createWorld({ config: { dryRun: true } })
    w.usage.add({ at: START, calls: 4 })
    await run(w, w.start(), 2 * HOUR)
    expect(w.stripe.requests).toEqual([])
    expect(await w.lines()).toMatchObject([{ wanted: 4, sent: 0 }])
  })
})

describe('limits', () => {
  test('a customer and meter has one request at a time, and Retry-After is waited for', async () => {
    const w = await createWorld()
    for (let i = 0; i < 12; i++) w.usage.add({ at: START + i * HOUR, calls: 1 })
    w.clock.pass(14 * HOUR)
    let isFirst = true
    w.stripe.fault = ({ path }) => {
      if (path !== '/v1/billing/meter_events' || !isFirst) return undefined
      isFirst = false
      return '429'
    }
    const worker = w.start()
    await worker.pass()
    const before = w.stripe.requests.length
    w.clock.pass(6_900)
    await worker.pass()
    expect(w.stripe.requests).toHaveLength(before)
    await run(w, worker, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(12)
    expect(w.stripe.mostAtOnce()).toBe(1)
  })

  test('a session of the stream is renewed when it is over', async () => {
    const w = await createWorld({ config: { api: 'v2' } })
    const worker = w.start()
    for (let i = 0; i < 3; i++) {
      w.usage.add({ at: START + i * HOUR, calls: 1 })
      await run(w, worker, HOUR)
    }
    await run(w, worker, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(3)
    expect(w.stripe.requests.filter(({ path }) => path === '/v2/billing/meter_event_session').length).toBeGreaterThan(1)
  })

  test('a full outbox takes no more usage, says so, and goes on once there is room', async () => {
    const w = await createWorld({ config: { alarm: { lines: 10 } } })
    w.stripe.fault = () => '500'
    for (let i = 0; i < 12; i++) w.usage.add({ at: START + i * HOUR, calls: 1 })
    w.clock.pass(14 * HOUR)
    const worker = w.start()
    await run(w, worker, HOUR)
    expect(w.health()).toMatch('the outbox is full (12 lines are to be sent)')
    w.usage.add({ at: START + 12 * HOUR, calls: 1 })
    await run(w, worker, HOUR)
    expect(await w.lines()).toHaveLength(12)
    w.stripe.fault = () => undefined
    await run(w, worker, 2 * HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(13)
    expect(w.health()).toBeUndefined()
  })

  test('of two processes with one outbox one bills, and the other goes on when it has ended', async () => {
    const w = await createWorld()
    w.usage.add({ at: START, calls: 4 })
    w.clock.pass(2 * HOUR)
    const [first, second] = [w.start(), w.start()]
    await Promise.all([first.pass(), second.pass()])
    await Promise.all([first.pass(), second.pass()])
    expect(w.stripe.ledger).toHaveLength(1)
    await first.stop()
    w.usage.add({ at: START, calls: 1 })
    await run(w, second, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(5)
  })
})
