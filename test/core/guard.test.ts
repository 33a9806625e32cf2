// The guard: one hook call within its time, whatever the hook does; and late is lost.
import { expect, test } from 'vitest'
import { createGuard, HookFailure, type Site } from '../../core/guard.ts'
import { createFakeClock } from '../../core/testing/fake-clock.ts'

const site: Site = { plugin: 'p', hook: 'onRequest' }
const never = new Promise<never>(() => {})

function open(limitMs = 100) {
  const clock = createFakeClock()
  const late: [string, number][] = []
  return { clock, late, guard: createGuard({ clock, limitMs, onLate: ({ hook }, afterMs) => late.push([hook, afterMs]) }) }
}

test('a hook that answers at once costs neither a promise nor a timer', () => {
  const { guard, clock } = open()
  expect(guard.call(site, (a: number, b: number) => a + b, 1, 2)).toBe(3)
  expect(clock.timers).toBe(0)
})

test('a throw, a rejection and a foreign thenable that throws are failures that say what was thrown', async () => {
  const { guard } = open()
  const broken: Record<string, unknown> = {}
  // oxlint-disable-next-line unicorn/no-thenable
  const name = 'then'
  broken[name] = () => {
    throw new Error('thenable')
  }
  const results = [
    guard.call(
      site,
      () => {
        throw new Error('sync')
      },
      0,
      0,
    ),
    await guard.call(site, () => Promise.reject(new Error('async')), 0, 0),
    await guard.call(site, () => broken, 0, 0),
    guard.call(
      site,
      () => {
        throw {
          toString() {
            throw new Error('worse')
          },
        }
      },
      0,
      0,
    ),
  ]
  for (const [i, word] of ['sync', 'async', 'thenable', 'cannot be shown'].entries()) {
    expect(results[i]).toBeInstanceOf(HookFailure)
    expect(results[i]).toMatchObject({ site, why: 'threw', detail: expect.stringContaining(word) })
  }
})

test('a hook that takes too long fails in time, and what it says later is lost and counted', async () => {
  const { guard, clock, late } = open()
  let answer: (value: string) => void = () => {}
  const slow = guard.call(
    site,
    () =>
      new Promise(resolve => {
        answer = resolve
      }),
    0,
    0,
  )
  await clock.advance(99)
  expect(guard.pending()).toEqual([{ ...site, for: 99, late: false }])
  await clock.advance(1)
  expect(await slow).toMatchObject({ why: 'timed-out', detail: 'no answer within 100 ms' })
  expect(guard.pending()).toEqual([{ ...site, for: 100, late: true }])
  await clock.advance(50)
  answer('allow')
  await clock.advance(0)
  expect(late).toEqual([['onRequest', 150]])
  expect(guard.pending()).toEqual([])
})

test('one timer serves all: each of many overlapping hooks fails at its own deadline', async () => {
  const { guard, clock } = open()
  const ended: number[] = []
  for (let i = 0; i < 5; i++) {
    void Promise.resolve(guard.call(site, () => never, 0, 0)).then(() => ended.push(clock.mono()))
    await clock.advance(30)
  }
  expect(clock.timers).toBeLessThanOrEqual(1)
  await clock.advance(1_000)
  expect(ended).toEqual([100, 130, 160, 190, 220])
  expect(guard.pending()).toHaveLength(5)
})

test('a hook that answers in time leaves nothing pending', async () => {
  const { guard, clock, late } = open()
  expect(await guard.call(site, () => Promise.resolve('ok'), 0, 0)).toBe('ok')
  expect(guard.pending()).toEqual([])
  await clock.advance(1_000)
  expect([late, clock.timers]).toEqual([[], 0])
})
