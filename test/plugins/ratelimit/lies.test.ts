// A Redis that lies, forgets or is restored lifts no limit: what one gateway lets through never exceeds what it would allow alone.
import fc from 'fast-check'
import type { Exchange, PluginContext, Redis, RedisReply, RedisState } from 'mcpgw/plugin'
import { createFakeClock, type FakeClock } from 'mcpgw/testing'
import { describe, expect, test } from 'vitest'
import type { Count, Short, Taken } from '../../../plugins/ratelimit/cell.ts'
import { createLeases } from '../../../plugins/ratelimit/leases.ts'
import { LocalCounts } from '../../../plugins/ratelimit/local-counts.ts'
import type { AtOnce } from '../../../plugins/ratelimit/rules.ts'
import { SharedCounts } from '../../../plugins/ratelimit/shared-counts.ts'
import { createSharing, type Sharing } from '../../../plugins/ratelimit/sharing.ts'
import { bucketOf, type Counted, countOf, holds, windowOf } from './model.ts'

const seed = Number(process.env.FUZZ_SEED ?? 20261129)
const numRuns = Number(process.env.FUZZ_RUNS ?? 400)

type Health = Parameters<PluginContext['health']>[0]

interface Asked {
  readonly args: readonly (string | number)[]
  answer(reply: RedisReply): void
  fail(): void
}

/** Says what the test says, when the test says it. */
class ToldRedis implements Redis {
  readonly name = 'redis://told'
  state: RedisState = { isUp: true, since: 0 }
  readonly asked: Asked[] = []
  readonly #watchers: ((state: RedisState) => void)[] = []

  turn(isUp: boolean): void {
    this.state = { isUp, since: 0, ...(!isUp && { why: 'told so' }) }
    for (const tell of this.#watchers) tell(this.state)
    if (!isUp) for (const one of this.asked.splice(0)) one.fail()
  }

  watch(tell: (state: RedisState) => void): void {
    this.#watchers.push(tell)
  }

  async connect(): Promise<void> {}

  run(_script: string, _keys: readonly string[], args: readonly (string | number)[]): Promise<RedisReply> {
    return new Promise((answer, reject) => this.asked.push({ args, answer, fail: () => reject(new Error('told so')) }))
  }

  async close(): Promise<void> {}
}

interface World {
  readonly redis: ToldRedis
  readonly clock: FakeClock
  readonly sharing: Sharing
  readonly health: Health[]
}
async function world(): Promise<World> {
  const redis = new ToldRedis()
  const clock = createFakeClock()
  const health: Health[] = []
  const about = {
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    health: (report: Health) => void health.push(report),
    find: () => undefined,
    metrics: { gauge: () => ({ set: () => {} }) },
  }
  const sharing = createSharing(redis, about as unknown as PluginContext)
  await sharing.start()
  return { redis, clock, sharing, health }
}
const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Of a number between 0 and 1 what the script might say of this count, had it let it through. */
const usedOf = ({ cell, cost }: Count, lie: number): number =>
  cell.kind === 'window'
    ? Math.round(cost + lie * Math.max(0, cell.most - cost))
    : Math.ceil((cost * cell.everyMs + lie * Math.max(0, cell.depthMs - cost * cell.everyMs)) * 1000)

const unit = fc.double({ min: 0, max: 1, noNaN: true })
const lies = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('taken' as const), used: fc.oneof(fc.constant(0), unit), newer: fc.nat({ max: 9 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('short' as const), used: unit, newer: fc.nat({ max: 9 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('odd' as const),
      reply: fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.array(fc.integer())),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
)
type Lie = typeof lies extends fc.Arbitrary<infer T> ? T : never
function tell(asked: Asked, counts: readonly Count[], lie: Lie): void {
  if (lie.kind === 'fail') return asked.fail()
  if (lie.kind === 'odd') return asked.answer(lie.reply as RedisReply)
  const used = counts.map(count => usedOf(count, lie.used))
  const newer = counts.map(() => lie.newer)
  const marks = counts.map(() => '1.000')
  asked.answer([lie.kind === 'short' ? 1 : 0, lie.kind === 'short' ? 1000 : 0, '1.000', ...used, ...newer, ...marks])
}

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 2000 }) }) },
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('ask' as const), cost: fc.integer({ min: 1, max: 3 }), lie: lies, now: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), lie: lies }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('back' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('turn' as const), isUp: fc.boolean() }) },
  ),
  { minLength: 10, maxLength: 120 },
)

describe('whatever the shared store says', () => {
  test('what one gateway lets through never exceeds its own limit: of a window, of a bucket, and of both at once', async () => {
    const cells = fc.constantFrom([windowOf(5, 4000)], [windowOf(70, 9000)], [bucketOf(500, 5)], [windowOf(9, 20_000), bucketOf(300, 4)])
    await fc.assert(
      fc.asyncProperty(cells, steps, async (pool, plan) => {
        const { redis, clock, sharing } = await world()
        const counts = new SharedCounts(redis, sharing, new LocalCounts(clock.mono), clock.mono)
        const kept: (Counted & { readonly taken: Taken })[] = []
        const open: (readonly Count[])[] = []
        const settle = async (asked: Asked | undefined, lie: Lie): Promise<void> => {
          if (asked !== undefined) tell(asked, open.shift() ?? [], lie)
          await tick()
        }
        const conclude = (asked: readonly Count[], result: Taken | Short): void => {
          if (result.kind === 'short') return
          expect(asked.every(one => holds(kept, one, clock.mono()))).toBe(true)
          kept.push({ at: clock.mono(), counts: asked, taken: result })
        }
        for (const step of plan) {
          if (step.kind === 'wait') await clock.advance(step.ms)
          else if (step.kind === 'ask') {
            const asked = pool.map(cell => countOf(cell, 'a', step.cost))
            const before = redis.asked.length
            const result = counts.take(asked)
            if (redis.asked.length > before) open.push(asked)
            if (result instanceof Promise) void result.then(done => conclude(asked, done))
            else conclude(asked, result)
            if (step.now) await settle(redis.asked.shift(), step.lie)
          } else if (step.kind === 'answer') await settle(redis.asked.shift(), step.lie)
          else if (step.kind === 'turn') {
            redis.turn(step.isUp)
            if (!step.isUp) open.length = 0
            await tick()
          } else if (kept.length > 0 && pool.every(({ kind }) => kind === 'window')) {
            const [one] = kept.splice(step.which % kept.length, 1)
            const before = redis.asked.length
            void one!.taken.takeBack()
            // What becomes of that in Redis is no matter here.
            for (const asked of redis.asked.splice(before)) asked.fail()
          }
        }
      }),
      { seed, numRuns },
    )
  })

  test('of what is under way one gateway never has more than its own limit', async () => {
    const plans = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), who: fc.constantFrom('a', 'b') }) },
        {
          weight: 4,
          arbitrary: fc.record({
            kind: fc.constant('answer' as const),
            reply: fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 3 }), fc.constant(null), fc.string()),
          }),
        },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat() }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('turn' as const), isUp: fc.boolean() }) },
      ),
      { minLength: 10, maxLength: 120 },
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), plans, async (most, plan) => {
        const { redis, clock, sharing } = await world()
        const limits: AtOnce[] = [{ limit: { text: 'few', by: 'all' }, most, keyOf: x => x.principal?.id }]
        const leases = createLeases(limits, clock, { redis, sharing })
        const under: Exchange[] = []
        let count = 0
        for (const step of plan) {
          if (step.kind === 'ask') {
            const x = { id: `x${count++}`, principal: { id: step.who } } as unknown as Exchange
            const conclude = (full: AtOnce | undefined): void => {
              if (full !== undefined) return
              under.push(x)
              expect(under.filter(one => one.principal?.id === step.who).length).toBeLessThanOrEqual(most)
            }
            const full = leases.acquire(x)
            if (full instanceof Promise) void full.then(conclude)
            else conclude(full)
          } else if (step.kind === 'answer') redis.asked.shift()?.answer(step.reply as RedisReply)
          else if (step.kind === 'wait') await clock.advance(step.ms)
          else if (step.kind === 'turn') redis.turn(step.isUp)
          else if (under.length > 0) {
            // Whether Redis hears of it is no matter here.
            void leases.release(under.splice(step.which % under.length, 1)[0]!)
          }
          await tick()
        }
      }),
      { seed, numRuns },
    )
  })

  test('that it has counted less than was let through here is told in health, and it is asked again by itself', async () => {
    const { redis, clock, sharing, health } = await world()
    const counts = new SharedCounts(redis, sharing, new LocalCounts(clock.mono), clock.mono)
    const asked = [countOf(windowOf(10, 60_000))]
    const take = async (used: number): Promise<Taken | Short> => {
      const result = counts.take(asked)
      redis.asked.shift()!.answer([0, 0, '1.000', used, 1, '1.000'])
      return await result
    }
    for (const used of [1, 2, 3]) expect(await take(used)).toMatchObject({ kind: 'taken' })
    expect(health).toEqual([undefined])
    expect((await take(1)).kind).toBe('taken')
    expect(sharing.generation).toBeUndefined()
    expect(health.at(-1)).toEqual({
      status: 'degraded',
      why: 'each gateway counts its limits alone: redis://told: it says that less was counted than this gateway alone has let through',
    })
    await clock.advance(60_000 - 1)
    expect([sharing.generation, health.at(-1)]).toEqual([2, undefined])
    // What is known here is told again, so that one that was restored knows it too: 4 were counted, 1 of them without it.
    const result = counts.take(asked)
    expect(redis.asked[0]!.args.slice(-3)).toEqual([4, 1, 0])
    redis.asked.shift()!.answer([0, 0, '2.000', 5, 1, '2.000'])
    expect((await result).kind).toBe('taken')
    expect(health.at(-1)).toBeUndefined()
  })

  test('the same of what is under way', async () => {
    const { redis, clock, sharing, health } = await world()
    const leases = createLeases([{ limit: { text: 'few', by: 'all' }, most: 1, keyOf: () => 'all' }], clock, { redis, sharing })
    const acquire = async (id: string): Promise<AtOnce | undefined> => {
      const full = leases.acquire({ id } as unknown as Exchange)
      redis.asked.shift()!.answer(0)
      await tick()
      redis.asked.shift()?.answer(0)
      return await full
    }
    expect(await acquire('a')).toBeUndefined()
    expect(await acquire('b')).toMatchObject({ most: 1 })
    expect(health.at(-1)?.why).toContain('it says that less is under way than this gateway alone has let through')
    await clock.advance(2000)
    expect(health.at(-1)).toBeUndefined()
  })
})
