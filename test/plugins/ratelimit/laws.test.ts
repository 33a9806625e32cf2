// The laws of limits, held by counts in memory and by the scripts in Redis alike, and by gateways that lose Redis and find it again.
import fc from 'fast-check'
import type { PluginContext, Redis } from 'mcpgw/plugin'
import { createFakeClock } from 'mcpgw/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import type { Counts, Short, Taken } from '../../../plugins/ratelimit/cell.ts'
import { LocalCounts } from '../../../plugins/ratelimit/local-counts.ts'
import { keyOf, SharedCounts } from '../../../plugins/ratelimit/shared-counts.ts'
import { createSharing } from '../../../plugins/ratelimit/sharing.ts'
import { hasRedis, type RedisServer, startRedis } from '../../redis/server.ts'
import { bucketOf, type Counted, countOf, holds, START, windowOf } from './model.ts'
import { StagedRedis } from './staged-redis.ts'

const seed = Number(process.env.FUZZ_SEED ?? 20261128)
const numRuns = Number(process.env.FUZZ_RUNS ?? 40)

const cells = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 100, max: 1000 })).map(([most, span]) => windowOf(most, span)),
  fc.constant(windowOf(100, 1000)),
  fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 8 })).map(([every, burst]) => bucketOf(every, burst)),
)
type Step =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'take'; readonly parts: readonly (readonly [number, string, number])[] }
  | { readonly kind: 'back'; readonly which: number }
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 300 }) }),
    fc.record({
      kind: fc.constant('take' as const),
      parts: fc.uniqueArray(fc.tuple(fc.nat({ max: 2 }), fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 4 })), {
        minLength: 1,
        maxLength: 3,
        selector: ([cell, whose]) => `${cell}${whose}`,
      }),
    }),
    fc.record({ kind: fc.constant('back' as const), which: fc.nat() }),
  ),
  { minLength: 5, maxLength: 60 },
)
const worlds = fc.tuple(fc.uniqueArray(cells, { minLength: 3, maxLength: 3, selector: ({ id }) => id }), steps)

describe('in memory', () => {
  test('never more than allowed in any window, nor more at once than the burst and what has filled in; and never fewer where windows are small', () => {
    fc.assert(
      fc.property(worlds, ([pool, plan]) => {
        let now = START
        const counts = new LocalCounts(() => now)
        const kept: (Counted & { readonly taken: Taken })[] = []
        for (const step of plan) {
          if (step.kind === 'wait') now += step.ms
          else if (step.kind === 'back') {
            const index = kept.length === 0 ? -1 : step.which % kept.length
            // Only what windows have counted is ever taken back.
            if (index < 0 || kept[index]!.counts.some(({ cell }) => cell.kind === 'bucket')) continue
            void kept[index]!.taken.takeBack()
            kept.splice(index, 1)
          } else {
            const asked = step.parts.map(([cell, whose, cost]) => countOf(pool[cell]!, whose, cost))
            const result = counts.take(asked)
            const isDue = asked.every(one => holds(kept, one, now))
            if (result.kind === 'taken') {
              expect(isDue).toBe(true)
              kept.push({ at: now, counts: asked, taken: result })
            } else if (asked.every(({ cell }) => cell.kind === 'bucket' || cell.most <= 64)) expect(isDue).toBe(false)
          }
        }
      }),
      { seed, numRuns: 10 * numRuns },
    )
  })

  test('a wait that is kept finds a place, whatever the cost', () => {
    fc.assert(
      fc.property(
        cells,
        fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 4 })), { maxLength: 80 }),
        (cell, plan) => {
          let now = START
          const counts = new LocalCounts(() => now)
          const room = cell.kind === 'window' ? cell.most : cell.depthMs / cell.everyMs
          for (const [ms, cost] of plan) {
            now += ms
            const asked = [countOf(cell, 'a', Math.min(cost, room))]
            const result = counts.take(asked)
            if (result.kind === 'taken') continue
            now += result.waitMs
            expect(counts.take(asked).kind).toBe('taken')
          }
        },
      ),
      { seed, numRuns: 10 * numRuns },
    )
  })
})

describe.skipIf(!hasRedis)('in Redis', () => {
  let server: RedisServer
  let real: Redis
  beforeAll(async () => {
    server = await startRedis()
    real = createStores({ dataDir: '/nonexistent', redis: server.url }).redis()!
    await real.connect()
  })
  afterAll(async () => {
    await real.close()
    await server.remove()
  })

  const clock = createFakeClock()
  const gauge = { set: () => {} }
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const about = { clock, log: silent, health: () => {}, find: () => undefined, metrics: { gauge: () => gauge } }
  async function gateway(now: () => number): Promise<{ redis: StagedRedis; counts: Counts; local: LocalCounts }> {
    const redis = new StagedRedis(real, now)
    const sharing = createSharing(redis, about as unknown as PluginContext)
    const local = new LocalCounts(now)
    await sharing.start()
    return { redis, local, counts: new SharedCounts(redis, sharing, local, now) }
  }

  test('the scripts say of every sequence what memory says: the same requests, the same waits, the same counts left', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ([pool, plan]) => {
        await server.ask('FLUSHALL')
        let now = START
        const memory = new LocalCounts(() => now)
        const { counts, local } = await gateway(() => now)
        const kept: { readonly own: Taken; readonly shared: Taken }[] = []
        for (const step of plan) {
          if (step.kind === 'wait') now += step.ms
          else if (step.kind === 'back') {
            const [pair] = kept.length === 0 ? [] : kept.splice(step.which % kept.length, 1)
            void pair?.own.takeBack()
            await pair?.shared.takeBack()
          } else {
            const asked = step.parts.map(([cell, whose, cost]) => countOf(pool[cell]!, whose, cost))
            const own = memory.take(asked)
            const shared = await counts.take(asked)
            expect(shared.kind).toBe(own.kind)
            if (own.kind === 'short') {
              expect((shared as Short).index).toBe(own.index)
              expect((shared as Short).waitMs).toBeCloseTo(own.waitMs, 1)
              // What has no place here already is not asked there, and nothing is learned.
              continue
            }
            kept.push({ own, shared: shared as Taken })
            for (const { cell, whose } of asked)
              expect(local.find(cell, whose)?.used(now) ?? 0).toBeCloseTo(memory.find(cell, whose)?.used(now) ?? 0, 1)
          }
        }
      }),
      { seed, numRuns },
    )
  })

  test('whatever is lost, each gateway lets through no more than the limit in any window; and all together no more while none has lost Redis', async () => {
    const events = fc.array(
      fc.oneof(
        {
          weight: 10,
          arbitrary: fc.record({ kind: fc.constant('take' as const), who: fc.nat({ max: 1 }), cost: fc.integer({ min: 1, max: 2 }) }),
        },
        { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
        {
          weight: 1,
          arbitrary: fc.record({ kind: fc.constantFrom('lose' as const, 'find' as const, 'silence' as const), who: fc.nat({ max: 1 }) }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const) }) },
      ),
      { minLength: 20, maxLength: 120 },
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(windowOf(5, 500), windowOf(70, 500), bucketOf(50, 5)), events, async (cell, plan) => {
        await server.ask('FLUSHALL')
        let now = START
        const gateways = await Promise.all([gateway(() => now), gateway(() => now)])
        const kept: (Counted & { readonly who: number })[] = []
        let hasLost = false
        for (const event of plan) {
          if (event.kind === 'wait') now += event.ms
          else if (event.kind === 'take') {
            const asked = countOf(cell, 'a', event.cost)
            const result = await gateways[event.who]!.counts.take([asked])
            if (result.kind === 'short') continue
            expect(
              holds(
                kept.filter(({ who }) => who === event.who),
                asked,
                now,
              ),
            ).toBe(true)
            if (!hasLost) expect(holds(kept, asked, now)).toBe(true)
            kept.push({ at: now, counts: [asked], who: event.who })
          } else {
            hasLost = true
            if (event.kind === 'forget') {
              // A server that was killed and started again: nobody is connected meanwhile.
              for (const { redis } of gateways) redis.turn(false)
              await server.ask('FLUSHALL')
              for (const { redis } of gateways) redis.turn(true)
            } else {
              const { redis } = gateways[event.who]!
              redis.isSilent = event.kind === 'silence'
              if (event.kind !== 'silence') redis.turn(event.kind === 'find')
            }
          }
        }
      }),
      { seed, numRuns },
    )
  })

  test('where the clock of Redis is set back, what was counted counts for no less than its span, and for no more than one', async () => {
    await server.ask('FLUSHALL')
    let now = START
    const [first, second] = [await gateway(() => now), await gateway(() => now)]
    const asked = [countOf(windowOf(1, 1000)), countOf(bucketOf(1000, 1))]
    expect((await first.counts.take(asked)).kind).toBe('taken')
    // Which has let nothing through itself, and has to ask.
    const kind = async (): Promise<string> => (await second.counts.take(asked)).kind
    now -= 3_600_000
    expect(await kind()).toBe('short')
    now += 999
    expect(await kind()).toBe('short')
    now += 1
    expect(await kind()).toBe('taken')
  })

  test('no name stands in a key, and nothing is kept for longer than it counts', async () => {
    await server.ask('FLUSHALL')
    const sharing = createSharing(real, about as unknown as PluginContext)
    await sharing.start()
    const counts = new SharedCounts(real, sharing, new LocalCounts(clock.mono), clock.mono)
    const asked = [countOf(windowOf(5, 60_000), 'acme\0alice@example.com'), countOf(bucketOf(1000, 5), 'acme\0alice@example.com')]
    await counts.take(asked)
    expect(((await server.ask('KEYS', 'mcpgw:{*')) as string[]).toSorted()).toEqual(asked.map(keyOf).toSorted())
    expect(asked.map(keyOf).join('')).not.toContain('alice')
    expect(await server.ask('PTTL', keyOf(asked[0]!))).toBeLessThanOrEqual(60_001)
    expect(await server.ask('PTTL', keyOf(asked[1]!))).toBeLessThanOrEqual(1001)
    expect(await server.ask('PTTL', keyOf(asked[1]!))).toBeGreaterThan(0)
  })
})
