// One token for all who need it: when it is fetched, when it is renewed, and how often at most.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Token } from '../../../core/credentials/token-answer.ts'
import { createTokenKeeper, TokenFailure } from '../../../core/credentials/token-keeper.ts'
import { createManualClock } from '../upstream/manual-clock.ts'

function keep(lifeMs = 3_600_000) {
  const clock = createManualClock()
  const seen: string[] = []
  let fail: Error | undefined
  let fetched = 0
  let slow: Promise<void> | undefined
  const keeper = createTokenKeeper({
    clock,
    random: () => 1,
    async fetch(): Promise<Token> {
      const token = { access: `t${++fetched}`, lifeMs }
      await slow
      if (fail !== undefined) throw fail
      return token
    },
    obtained: ({ access }, isRenewal) => void seen.push(`${isRenewal ? 'renewed' : 'obtained'} ${access}`),
    failed: why => void seen.push(`failed ${why}`),
  })
  return {
    clock,
    keeper,
    seen,
    failWith: (error: Error | undefined) => {
      fail = error
    },
    slowDown: (until: Promise<void> | undefined) => {
      slow = until
    },
    get fetched() {
      return fetched
    },
  }
}
const settled = () => new Promise(resolve => setImmediate(resolve))

it('a hundred who need it at once wait for one request', async () => {
  const one = keep()
  expect(one.keeper.now()).toBeUndefined()
  const tokens = await Promise.all(Array.from({ length: 100 }, () => one.keeper.obtain()))
  expect([new Set(tokens), one.fetched, one.keeper.now()]).toEqual([new Set(['t1']), 1, 't1'])
})

it('it is renewed a minute before its end, while the one at hand is still shown', async () => {
  const one = keep()
  await one.keeper.obtain()
  one.clock.advance(3_600_000 - 60_001)
  expect(one.keeper.now()).toBe('t1')
  expect(one.fetched).toBe(1)
  one.clock.advance(1)
  expect([one.keeper.now(), one.keeper.now()]).toEqual(['t1', 't1'])
  await settled()
  expect([one.keeper.now(), one.fetched, one.seen]).toEqual(['t2', 2, ['obtained t1', 'renewed t2']])
})

it('a token that has ended is never shown, however the renewal goes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ ms: fc.nat(400_000), fails: fc.boolean() }), { maxLength: 30 }), async steps => {
      const lifeMs = 300_000
      const one = keep(lifeMs)
      const bornAt = new Map<string, number>()
      for (const { ms, fails } of steps) {
        one.clock.advance(ms)
        one.failWith(fails ? new Error('down') : undefined)
        const at = one.clock.mono()
        const token = one.keeper.now() ?? (await one.keeper.obtain().catch(() => undefined))
        if (token === undefined) continue
        if (!bornAt.has(token)) bornAt.set(token, at)
        expect(at - bornAt.get(token)!).toBeLessThan(lifeMs)
        await settled()
        const next = one.keeper.now()
        if (next !== undefined && !bornAt.has(next)) bornAt.set(next, at)
      }
    }),
    { numRuns: 50 },
  )
})

it('after a failure nobody asks for a while, and longer each time; who needs it meanwhile is told how long', async () => {
  const one = keep()
  one.failWith(new Error('down'))
  const waits: number[] = []
  for (let i = 0; i < 8; i++) {
    await expect(one.keeper.obtain()).rejects.toMatchObject({ fault: { code: 'upstream-unavailable', detail: 'no token: down' } })
    const again = await one.keeper.obtain().catch(error => error.fault)
    waits.push(again.retryAfterMs)
    one.clock.advance(again.retryAfterMs)
  }
  expect([one.fetched, waits]).toEqual([8, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]])
  one.failWith(undefined)
  expect(await one.keeper.obtain()).toBe('t9')
  one.clock.advance(3_600_000)
  one.failWith(new Error('down'))
  expect((await one.keeper.obtain().catch(error => error.fault)).retryAfterMs).toBe(1000)
})

it('an endpoint that asks for patience gets it, but not for ever', async () => {
  const one = keep()
  one.failWith(new TokenFailure('busy', { retryAfterMs: 90_000 }))
  expect((await one.keeper.obtain().catch(error => error.fault)).retryAfterMs).toBe(90_000)
  one.clock.advance(90_000)
  one.failWith(new TokenFailure('busy', { retryAfterMs: 9_000_000 }))
  expect((await one.keeper.obtain().catch(error => error.fault)).retryAfterMs).toBe(300_000)
})

it('a renewal that fails leaves the token at hand as it is, to its end', async () => {
  const one = keep()
  await one.keeper.obtain()
  one.failWith(new Error('down'))
  one.clock.advance(3_600_000 - 30_000)
  expect(one.keeper.now()).toBe('t1')
  await settled()
  expect([one.keeper.now(), one.seen.at(-1)]).toEqual(['t1', 'failed down'])
  one.clock.advance(25_001)
  expect(one.keeper.now()).toBeUndefined()
})

it('a refused token is replaced once for all who were refused with it, and not again within ten seconds', async () => {
  const one = keep()
  await one.keeper.obtain()
  const others = await Promise.all(Array.from({ length: 10 }, () => one.keeper.obtain('t1')))
  expect([new Set(others), one.fetched]).toEqual([new Set(['t2']), 2])
  expect(await one.keeper.obtain('t2')).toBeUndefined()
  expect([one.fetched, one.keeper.now()]).toEqual([2, 't2'])
  one.clock.advance(10_000)
  expect(await one.keeper.obtain('t2')).toBe('t3')
})

it('a token that is born late, of a slow endpoint, has lived since it was asked for', async () => {
  const one = keep(10_000)
  let go = () => {}
  one.slowDown(
    new Promise(resolve => {
      go = resolve
    }),
  )
  const first = one.keeper.obtain()
  one.clock.advance(9500)
  go()
  await first
  expect(one.keeper.now()).toBeUndefined()
})
