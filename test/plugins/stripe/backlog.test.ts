// What is in the outbox and not sent: it takes no room from others, and where billing begins is the config's word, on which each call is billed once.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWorld, DAY, HOUR, run, START, type World } from './billing-world.ts'

const day = (at: number): string => new Date(at).toISOString().slice(0, 10)

test('what cannot be sent takes no room: a tenant without a customer, too old, refused, in doubt: others are billed', async () => {
  const w = await createWorld({ config: { alarm: { lines: 10 }, customers: { acme: 'cus_acme', globex: 'cus_nobody' } } })
  for (let i = 0; i < 15; i++) {
    for (const [tenant, at] of Object.entries({ initech: START, globex: START, acme: START - 60 * DAY }))
      w.usage.add({ at: at + i * HOUR, calls: 1, tenant })
  }
  w.clock.pass(16 * HOUR)
  const worker = w.start()
  await run(w, worker, HOUR)
  w.usage.add({ at: START, calls: 4 })
  await run(w, worker, HOUR)
  expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(4)
  expect(w.health()).toMatch('15 lines have no customer or no meter in the config')
  expect(w.health()).toMatch('15 lines are refused by Stripe')
  expect(w.health()).toMatch('15 lines are too old for Stripe and not billed')
  expect(w.health()).not.toMatch('the outbox is full')
})

test('it takes over no more than there is room for in one go, and the rest as lines are sent', async () => {
  const w = await createWorld({ config: { alarm: { lines: 10 } } })
  for (let i = 0; i < 40; i++) w.usage.add({ at: START + i * HOUR, calls: 1 })
  w.clock.pass(42 * HOUR)
  w.stripe.fault = () => '500'
  const worker = w.start()
  await run(w, worker, HOUR)
  // Pages of three.
  expect(await w.lines()).toHaveLength(12)
  w.stripe.fault = () => undefined
  await run(w, worker, 2 * HOUR)
  expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(40)
  expect(w.health()).toBeUndefined()
})

/** A run with this `since`. */
async function runSince(w: World, since: string | undefined, ms: number): Promise<void> {
  ;(w.config as { since: number | undefined }).since = since === undefined ? undefined : Date.parse(since)
  const worker = w.start()
  await run(w, worker, ms)
  await worker.stop()
}

test('an earlier `since` bills the windows that were passed over and never billed, each once, and a later one bills no more of them', async () => {
  const w = await createWorld()
  w.usage.add({ at: START, calls: 4 })
  w.usage.add({ at: START + DAY, calls: 8 })
  w.clock.pass(2 * DAY)
  const [first, second] = [day(START), day(START + DAY)]
  await runSince(w, second, HOUR)
  expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(8)
  expect(w.health()).toBeUndefined()
  await runSince(w, first, HOUR)
  expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(12)
  // A late call of the first day, once that is passed over again; and once it is not any more.
  w.usage.add({ at: START, calls: 1 })
  await runSince(w, second, HOUR)
  expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(12)
  await runSince(w, first, HOUR)
  await runSince(w, undefined, HOUR)
  expect(w.stripe.ledger.map(({ value }) => value).toSorted((a, b) => a - b)).toEqual([1, 4, 8])
  expect(await w.lines()).toEqual([])
})

test('a late call of a window that was passed over does not make it billed', async () => {
  const w = await createWorld({ config: { since: day(START + DAY) } })
  w.usage.add({ at: START, calls: 4 })
  w.clock.pass(2 * DAY)
  const worker = w.start()
  await run(w, worker, HOUR)
  w.usage.add({ at: START, calls: 1 })
  await run(w, worker, HOUR)
  expect(w.stripe.ledger).toEqual([])
  expect(w.health()).toBeUndefined()
})

test('wherever `since` is moved and however late calls come, each call is billed at most once, and all that ended after the last `since` is', async () => {
  const step = fc.record({ since: fc.integer({ min: 0, max: 4 }), late: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async steps => {
      const w = await createWorld()
      const used = [1, 10, 100, 1000]
      for (const [at, calls] of used.entries()) w.usage.add({ at: START + at * DAY, calls })
      w.clock.pass(5 * DAY)
      const billed = [0, 0, 0, 0]
      for (const { since, late } of steps) {
        for (const at of late) {
          w.usage.add({ at: START + at * DAY, calls: 1 })
          used[at]! += 1
        }
        await runSince(w, day(START + since * DAY), HOUR)
        for (let at = since; at < 4; at++) billed[at] = used[at]!
        const onDay = (at: number): number =>
          w.stripe.ledger
            .filter(({ timestamp }) => Math.floor((timestamp * 1000 - START) / DAY) === at)
            .reduce((sum, { value }) => sum + value, 0)
        expect([0, 1, 2, 3].map(onDay)).toEqual(billed)
      }
      await w.close()
    }),
    { numRuns: 12 },
  )
}, 120_000)

test('a line that an operator has settled by hand is billed to the customer that its tenant has by then, when it rises', async () => {
  const w = await createWorld()
  w.usage.add({ at: START, calls: 4, tenant: 'initech' })
  const worker = w.start()
  await run(w, worker, 2 * HOUR)
  await worker.stop()
  const [line] = await w.lines()
  const { openOutbox } = await import('../../../plugins/stripe/store/open.ts')
  const outbox = openOutbox(w.stores, w.config)
  expect(await outbox.settle(line!, { ...line!, sent: 4 })).toBe(true)
  await outbox.close()
  w.usage.add({ at: START, calls: 2, tenant: 'initech' })
  ;(w.config.customers as Record<string, string>).initech = 'cus_initech'
  await run(w, w.start(), HOUR)
  expect(w.stripe.total('cus_initech', 'tool_calls')).toBe(2)
})

test('it says what it has taken over once that is durable, also where another gateway bills, so that it may be forgotten', async () => {
  const w = await createWorld()
  w.usage.add({ at: START, calls: 4 })
  const first = w.start()
  await first.pass()
  expect(w.usage.taken()).toBeUndefined()
  w.clock.pass(2 * HOUR)
  // Killed before it is written.
  await first.stop()
  await w.start((_, when) => when === 'before').pass()
  expect(w.usage.taken()).toBeUndefined()
  const leader = w.start()
  await leader.pass()
  const cursor = w.usage.taken()
  expect(JSON.parse(cursor!)).toEqual([1])
  w.usage.hold('stripe', 0)('[]')
  await w.start().pass()
  expect(w.usage.taken()).toBe(cursor)
})
