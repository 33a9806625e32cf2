// Limits of policies: never more than allowed within any span, each for whom it counts, and only what was done counts.
import fc from 'fast-check'
import { allow, definePlugin, deny, type Obligation, type Plugin, type Principal, pass, type StandardSchemaV1 } from 'mcpgw/plugin'
import { checkPlugin, createFakeClock, type Harness, harness } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import ratelimit from '../../../plugins/ratelimit/index.ts'
import { type Mark, Window } from '../../../plugins/ratelimit/window.ts'

const anything: StandardSchemaV1<unknown, object> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as object }) },
}
const limit = (...args: Obligation['args']): Obligation => ({ name: 'limit', args })
const twenty = limit({ value: 2 }, { name: 'per', value: '1h' })

/** Allows everything under these duties; refuses tools called `late` at the last moment. */
function decider(duties: readonly Obligation[]): Plugin<object> {
  return definePlugin({
    name: 'decider',
    apiVersion: 1,
    config: anything,
    capabilities: ['decides'],
    setup: () => ({
      onRequest: () => allow(['rule'], duties),
      onSealed: ({ resource }) => (resource.kind === 'call' && resource.tool === 'late' ? deny('denied', 'late') : pass),
    }),
  })
}
async function world(duties: readonly Obligation[], config: object = {}): Promise<Harness> {
  const made = await harness({ plugins: [{ plugin: ratelimit, config }, decider(duties)], clock: createFakeClock() })
  onTestFinished(async () => void (await made.stop()))
  return made
}
const who = (id: string, tenant = 'acme', keyId?: string): { principal: Principal } => ({
  principal: { id, tenant, roles: [], claims: {}, via: { method: 'api-key', ...(keyId !== undefined && { keyId }) } },
})

/** Counts one where there is a place; the wait where there is none. */
function count(window: Window, now: number): Mark | number {
  const wait = window.waitFor(1, now)
  return wait > 0 ? wait : window.add(1, now)
}

test('keeps the promises that every plugin makes', async () => {
  expect((await checkPlugin(ratelimit)).filter(({ ok }) => !ok)).toEqual([])
})

test('what is more than allowed is refused, with the time to wait, until the first has left the span', async () => {
  const { call, clock, upstream } = await world([twenty])
  const code = async (): Promise<string | undefined> => (await call('s', 't', {}, who('a'))).refusal?.code
  expect(await code()).toBeUndefined()
  await clock.advance(600_000)
  expect(await code()).toBeUndefined()
  const { refusal } = await call('s', 't', {}, who('a'))
  expect(refusal).toMatchObject({ code: 'rate-limited', retryAfter: 3000, reason: 'too many requests' })
  await clock.advance(2_999_999)
  expect(await code()).toBe('rate-limited')
  await clock.advance(1)
  expect(await code()).toBeUndefined()
  expect(await code()).toBe('rate-limited')
  expect(upstream.received).toHaveLength(3)
})

test('each counts those that it says: principals of one tenant, tenants, servers, tools, or all', async () => {
  const sequence: readonly (readonly [string, string, string, string])[] = [
    ['a', 'acme', 's', 't'],
    ['b', 'acme', 's', 't'],
    ['a', 'other', 's', 't'],
    ['a', 'other', 's', 'u'],
    ['a', 'other', 'r', 't'],
    ['a', 'acme', 's', 't'],
  ]
  const refused = async (by: string | undefined): Promise<string> => {
    const { call } = await world([
      limit({ value: 1 }, { name: 'per', value: '1m' }, ...(by === undefined ? [] : [{ name: 'by', value: by }])),
    ])
    let out = ''
    for (const [id, tenant, server, tool] of sequence)
      out += (await call(server, tool, {}, who(id, tenant))).refusal === undefined ? '.' : 'x'
    return out
  }
  expect(await refused('principal')).toBe('...xxx')
  expect(await refused(undefined)).toBe('...xxx')
  expect(await refused('tenant')).toBe('.x.xxx')
  expect(await refused('server')).toBe('.xxx.x')
  expect(await refused('tool')).toBe('.xx..x')
  expect(await refused('all')).toBe('.xxxxx')
})

test('a request that was refused after all does not count', async () => {
  const { call } = await world([twenty])
  for (let i = 0; i < 5; i++) expect((await call('s', 'late', {}, who('a'))).refusal?.code).toBe('denied')
  for (let i = 0; i < 2; i++) expect((await call('s', 't', {}, who('a'))).refusal).toBeUndefined()
  expect((await call('s', 't', {}, who('a'))).refusal?.code).toBe('rate-limited')
})

test('of several limits each must have a place, and one that has is not used up by another that has none', async () => {
  const { call, clock } = await world([
    limit({ value: 3 }, { name: 'per', value: '1h' }),
    limit({ value: 1 }, { name: 'per', value: '1m' }),
  ])
  const outcome = async (): Promise<string | undefined> => (await call('s', 't', {}, who('a'))).refusal?.code
  for (let i = 0; i < 3; i++) {
    expect(await outcome()).toBeUndefined()
    expect(await outcome()).toBe('rate-limited')
    await clock.advance(60_000)
  }
  expect(await outcome()).toBe('rate-limited')
})

test('a limit of none allows none, and what is no limit is an unmet obligation', async () => {
  expect((await (await world([limit({ value: 0 }, { name: 'per', value: '1s' })])).call('s', 't')).refusal?.code).toBe('rate-limited')
  const wrong: Obligation['args'][] = [
    [],
    [{ value: 2 }],
    [{ name: 'per', value: '1h' }],
    [{ value: -1 }, { name: 'per', value: '1h' }],
    [{ value: 2 }, { name: 'per', value: 'hour' }],
    [{ value: 2 }, { name: 'per', value: '0s' }],
    [{ value: 2 }, { name: 'per', value: '1h' }, { name: 'by', value: 'moon' }],
    [{ value: 2 }, { value: 3 }, { name: 'per', value: '1h' }],
    [{ value: 2 }, { name: 'per', value: '1h' }, { name: 'colour', value: 'red' }],
  ]
  for (const args of wrong)
    expect((await (await world([limit(...args)])).call('s', 't')).refusal?.code, JSON.stringify(args)).toBe('unmet-obligation')
  const long = await world([limit({ value: 1 }, { name: 'per', value: '1h30m' })])
  await long.call('s', 't')
  expect((await long.call('s', 't')).refusal?.retryAfter).toBe(5400)
})

test('within any span never more than allowed; up to 64 exactly as many', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 600 }),
      (most, steps) => {
        const windowMs = 1000
        const window = new Window(most, windowMs)
        const counted: number[] = []
        let now = 0
        for (const step of steps) {
          now += step
          const inSpan = counted.filter(at => at + windowMs > now).length
          const got = count(window, now)
          if (typeof got === 'number') {
            expect(got).toBeGreaterThan(0)
            expect(got).toBeLessThanOrEqual(windowMs)
            if (most <= 64) expect(inSpan).toBe(most)
            continue
          }
          expect(inSpan).toBeLessThan(most)
          counted.push(now)
        }
      },
    ),
    { seed: Number(process.env.FUZZ_SEED ?? 20261125), numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  )
})

test('who asks in vain fills no memory', () => {
  const window = new Window(20, 3_600_000)
  window.add(1, 0)
  for (let now = 1; now < 1000; now++) (count(window, now) as Mark).count -= 1
  expect(window.size).toBeLessThanOrEqual(2)
})

test('a wait that is kept finds a place', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 400, maxLength: 600 }),
      (most, steps) => {
        const window = new Window(most, 1000)
        let now = 0
        for (const step of steps) {
          now += step
          const got = count(window, now)
          if (typeof got !== 'number') continue
          now += got
          expect(typeof count(window, now)).toBe('object')
        }
      },
    ),
    { seed: Number(process.env.FUZZ_SEED ?? 20261125), numRuns: Number(process.env.FUZZ_RUNS ?? 100) },
  )
})
