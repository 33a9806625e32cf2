// The verbs of the plugin, on outboxes in each state that an operator meets.
import type { AdminEvent } from 'mcpgw/plugin'
import { runCommand, type Said } from 'mcpgw/testing'
import { describe, expect, test } from 'vitest'
import stripe from '../../../plugins/stripe/index.ts'
import { createWorld, DAY, HOUR, run, START, type World, type WorldOptions } from './billing-world.ts'

async function made(
  options: WorldOptions = {},
): Promise<{ w: World; say: (verb: string, how?: Parameters<typeof runCommand>[2]) => Promise<Said> }> {
  const w = await createWorld(options)
  const { since, ...rest } = w.config
  const config = {
    ...rest,
    grace: '10m',
    alarm: { lines: 1000 },
    ...(since !== undefined && { since: new Date(since).toISOString().slice(0, 10) }),
  }
  return { w, say: (verb, how = {}) => runCommand(stripe, ['stripe', verb], { config, stores: w.stores, clock: w.clock, ...how }) }
}

/** An event of unknown fate, older than Stripe knows identifiers, in a window with usage of somebody else. */
async function makeUncertain(w: World): Promise<string> {
  w.usage.add({ at: START, calls: 40 })
  w.clock.pass(2 * HOUR)
  w.stripe.fault = ({ path }) => (path === '/v1/billing/meter_events' ? '500-after' : undefined)
  const worker = w.start()
  await worker.pass()
  w.stripe.ledger.push({ ...w.stripe.ledger[0]!, identifier: 'of somebody else', value: 1 })
  w.stripe.fault = ({ path }) => (path === '/v1/billing/meter_events' ? '500' : undefined)
  w.clock.pass(DAY)
  await worker.pass()
  await worker.stop()
  w.stripe.fault = () => undefined
  const [line] = await w.lines()
  expect(line!.attempt.state).toBe('uncertain')
  return line!.id
}

describe('without an outbox', () => {
  test('status, outbox and reconcile say that there is nothing, and make nothing', async () => {
    const { w, say } = await made()
    expect(await say('status')).toMatchObject({ code: 0, out: 'Nothing has been billed yet: there is no outbox.\n' })
    expect(await say('outbox')).toMatchObject({ code: 0, out: '' })
    expect(await say('reconcile', { options: { period: '2026-11', offline: true } })).toMatchObject({ code: 0 })
    expect(await say('resolve', { args: ['abc'], options: { billed: true } })).toMatchObject({ code: 3 })
    await expect(w.lines()).rejects.toMatchObject({ code: 'store-missing' })
  })
})

test('status tells how many lines wait, for how long, and what needs attention', async () => {
  const { w, say } = await made()
  w.usage.add({ at: START, calls: 4 })
  w.usage.add({ at: START, calls: 6, tenant: 'initech' })
  w.stripe.fault = () => '500'
  w.clock.pass(8 * HOUR)
  await w.start().pass()
  const { code, out } = await say('status')
  expect(code).toBe(0)
  expect(out).toMatch(/^.*stripe\.db\nbilling since 2026-01-01T00:00Z; 1 lines are to be sent, the oldest for 420 min\n/)
  expect(out).toMatch(/waiting +1 +4\nheld +1 +6\n/)
  expect(out).toMatch('usage waits to be billed for 7 h')
  expect(JSON.parse((await say('status', { json: true })).out)).toMatchObject({
    dryRun: false,
    since: '2026-01-01T00:00:00.000Z',
    backlogSeconds: 25_200,
    lines: { waiting: { lines: 1, due: 4 }, held: { lines: 1, due: 6 }, expired: { lines: 0 } },
  })
})

test('outbox lists lines by state, and what a tenant or Stripe says stays on its line', async () => {
  const { w, say } = await made()
  w.usage.add({ at: START, calls: 4, tenant: 'a\nb' })
  w.usage.add({ at: START, calls: 2 })
  await run(w, w.start(), 2 * HOUR)
  expect((await say('outbox')).out).toMatch(/^ID +WINDOW +TENANT .*\n\w{20} +2026-11-28T12:00Z +a\\u\{a\}b +tool_calls +4 +0 +held\n$/)
  expect((await say('outbox', { options: { state: 'billed' } })).out).toMatch(/acme +tool_calls +2 +2 +billed/)
  expect(await say('outbox', { options: { state: 'lost' } })).toMatchObject({ code: 2 })
  expect(await say('outbox', { options: { limit: '0' } })).toMatchObject({ code: 2 })
})

describe('reconcile', () => {
  test('ends with 0 where usage, ledger and Stripe agree, and with 1 where Stripe has another sum or something is not billed', async () => {
    const { w, say } = await made()
    const period = { options: { period: '2026-11' } }
    w.usage.add({ at: START, calls: 4 })
    w.usage.add({ at: START, calls: 2, tenant: 'globex' })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    expect(await say('reconcile', period)).toMatchObject({ code: 0, out: expect.stringContaining('usage, ledger and Stripe agree') })
    w.stripe.ledger.pop()
    const differs = await say('reconcile', period)
    expect(differs).toMatchObject({
      code: 1,
      out: expect.stringMatching(/differs: cus_\w+ tool_calls: \d billed, but Stripe has 0\nNOT IN AGREEMENT/),
    })
    expect(await say('reconcile', { options: { period: '2026-11-28', offline: true } })).toMatchObject({ code: 0 })
    w.stripe.fault = () => '500'
    w.usage.add({ at: START, calls: 1 })
    await worker.pass()
    expect(await say('reconcile', { ...period, options: { ...period.options, offline: true } })).toMatchObject({
      code: 1,
      out: expect.stringContaining('differs: acme tool_calls: 5 used, 4 billed'),
    })
    expect(await say('reconcile', period)).toMatchObject({ code: 3, err: expect.stringContaining('Stripe cannot be asked') })
  })

  test.each(['', '2026', '2026-13', '2026-02-30', 'now'])('refuses the period %j', async period => {
    const { say } = await made()
    expect(await say('reconcile', { options: { period } })).toMatchObject({ code: 2 })
  })
})

describe('resolve', () => {
  test('--billed takes an uncertain event for counted, puts it on record, and nothing more is sent', async () => {
    const { w, say } = await made()
    const id = await makeUncertain(w)
    const recorded: AdminEvent[] = []
    expect(await say('resolve', { args: [id], options: { billed: true }, recorded })).toMatchObject({ code: 0, out: `${id}: billed\n` })
    expect(recorded).toEqual([
      { type: 'stripe.resolve', detail: { line: id, fate: 'billed', tenant: 'acme', meter: 'tool_calls', before: 0, after: 40 } },
    ])
    await run(w, w.start(), HOUR)
    expect(await w.lines()).toEqual([])
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(41)
  })

  test('--not-billed has it sent again, under another identifier', async () => {
    const { w, say } = await made()
    const id = await makeUncertain(w)
    const before = w.stripe.ledger.length
    expect(await say('resolve', { args: [id], options: { notBilled: true }, recorded: [] })).toMatchObject({ code: 0 })
    await run(w, w.start(), HOUR)
    expect(w.stripe.ledger.slice(before).map(({ value }) => value)).toEqual([40])
    expect(new Set(w.stripe.ledger.map(({ identifier }) => identifier)).size).toBe(before + 1)
    expect(await w.lines()).toEqual([])
  })

  test('what could not be recorded is told with 3', async () => {
    const { w, say } = await made()
    expect(await say('resolve', { args: [await makeUncertain(w)], options: { billed: true } })).toMatchObject({
      code: 3,
      err: expect.stringContaining('could not be recorded'),
    })
  })

  test('a line that is held or expired is settled elsewhere; one that the gateway goes on with is left to it', async () => {
    const { w, say } = await made()
    w.usage.add({ at: START, calls: 4, tenant: 'initech' })
    w.usage.add({ at: START, calls: 4 })
    w.stripe.fault = () => '500'
    w.clock.pass(2 * HOUR)
    await w.start().pass()
    const [held, waiting] = (await w.lines()).toSorted((a, b) => (a.tenant < b.tenant ? 1 : -1))
    expect(await say('resolve', { args: [held!.id], options: { billed: true }, recorded: [] })).toMatchObject({ code: 0 })
    expect(await say('resolve', { args: [waiting!.id], options: { billed: true } })).toMatchObject({ code: 3 })
    expect(await say('resolve', { args: [waiting!.id], options: { notBilled: true } })).toMatchObject({ code: 3 })
    w.clock.pass(36 * DAY)
    expect(await say('resolve', { args: [waiting!.id], options: { billed: true }, recorded: [] })).toMatchObject({ code: 0 })
    expect(await w.lines()).toEqual([])
  })

  test('wants one of both, and a line that is there', async () => {
    const { w, say } = await made()
    await w.start().pass()
    expect(await say('resolve', { args: ['x'], options: {} })).toMatchObject({ code: 2 })
    expect(await say('resolve', { args: ['x'], options: { billed: true, notBilled: true } })).toMatchObject({ code: 2 })
    expect(await say('resolve', { args: ['x'], options: { billed: true } })).toMatchObject({
      code: 3,
      err: expect.stringContaining('there is no line x'),
    })
  })
})
