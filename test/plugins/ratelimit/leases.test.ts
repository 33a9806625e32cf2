// Limits of what is under way: a place is held from the decision to the end, whatever the end is, and over all gateways; one that died holds it no longer than its lease.
import {
  allow,
  definePlugin,
  deny,
  type Exchange,
  type PluginContext,
  type Principal,
  pass,
  type Redis,
  type StandardSchemaV1,
} from 'mcpgw/plugin'
import { createFakeClock, createTemporaryStores, type FakeClock, type Harness, harness, upstreamError } from 'mcpgw/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import ratelimit from '../../../plugins/ratelimit/index.ts'
import { createLeases, type Leases } from '../../../plugins/ratelimit/leases.ts'
import { compileAtOnce } from '../../../plugins/ratelimit/rules.ts'
import { createSharing } from '../../../plugins/ratelimit/sharing.ts'
import { hasRedis, type RedisServer, startRedis } from '../../redis/server.ts'
import { StagedRedis } from './staged-redis.ts'

const anything: StandardSchemaV1<unknown, object> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as object }) },
}
/** Refuses `no` before the seal, and `late` after it. */
const decider = definePlugin({
  name: 'decider',
  apiVersion: 1,
  config: anything,
  capabilities: ['decides'],
  setup: () => ({
    onRequest: ({ resource }) => (resource.kind === 'call' && resource.tool === 'no' ? deny('denied', 'no') : allow(['rule'])),
    onSealed: ({ resource }) => (resource.kind === 'call' && resource.tool === 'late' ? deny('denied', 'late') : pass),
  }),
})
const who = (id: string): { principal: Principal } => ({
  principal: { id, tenant: 'acme', roles: [], claims: {}, via: { method: 'test' } },
})
const config = { limits: [{ name: 'few', atOnce: 2 }] }

interface World extends Harness {
  /** Begins a call and leaves it under way; resolves once it is, or is refused. */
  begin(options?: object): Promise<{ readonly code: string | undefined; end(): Promise<void> }>
}
async function world(redis?: string): Promise<World> {
  const stores = createTemporaryStores(redis === undefined ? {} : { redis })
  const made = await harness({ plugins: [{ plugin: ratelimit, config }, decider], stores, clock: createFakeClock() })
  const arrived: (() => void)[] = []
  made.upstream.on('s/hold', () => new Promise(resolve => arrived.push(() => resolve({ content: [] }))))
  made.upstream.on('s/fail', () => {
    throw upstreamError(-32000, 'broken')
  })
  onTestFinished(async () => {
    await made.stop()
    stores.remove()
  })
  return {
    ...made,
    async begin(options = who('a')) {
      const before = arrived.length
      const call = made.call('s', 'hold', {}, options)
      const isUnderWay = vi.waitFor(() => expect(arrived.length).toBeGreaterThan(before), { timeout: 10_000, interval: 5 })
      const code = await Promise.race([call.then(({ refusal }) => refusal?.code), isUnderWay.then(() => undefined)])
      isUnderWay.catch(() => {})
      const finish = arrived[before]
      return {
        code,
        async end() {
          finish?.()
          await call
        },
      }
    },
  }
}

test('so many at a time of each, and a place is free again when the call has ended, however it has', async () => {
  const { begin, call } = await world()
  const [one, two] = [await begin(), await begin()]
  expect([one.code, two.code]).toEqual([undefined, undefined])
  expect((await begin()).code).toBe('rate-limited')
  expect((await call('s', 't', {}, who('a'))).refusal).toMatchObject({ code: 'rate-limited', retryAfter: 1 })
  const other = await begin(who('b'))
  expect(other.code).toBeUndefined()
  await one.end()
  for (const tool of ['t', 'fail', 'no', 'late', 't', 'fail', 'no', 'late']) {
    const { refusal } = await call('s', tool, {}, who('a'))
    expect(refusal?.code).toBe(tool === 'no' || tool === 'late' ? 'denied' : undefined)
  }
  for (const one of [two, other]) await one.end()
})

describe.skipIf(!hasRedis)('with a real server', () => {
  let server: RedisServer
  let real: Redis
  beforeAll(async () => {
    server = await startRedis()
    real = createStores({ dataDir: '/nonexistent', redis: server.url }).redis()!
    await real.connect()
  })
  beforeEach(async () => void (await server.ask('FLUSHALL')))
  afterAll(async () => {
    await real.close()
    await server.remove()
  })

  test('two gateways hold it together', async () => {
    const [first, second] = await Promise.all([world(server.url), world(server.url)])
    // Ids of exchanges are unique over all gateways; in this harness they are counted.
    for (let i = 0; i < 9; i++) await second.call('s', 't', {}, who('z'))
    const [one, two] = [await first.begin(), await second.begin()]
    expect([one.code, two.code]).toEqual([undefined, undefined])
    expect([(await first.begin()).code, (await second.begin()).code]).toEqual(['rate-limited', 'rate-limited'])
    await one.end()
    const three = await second.begin()
    expect(three.code).toBeUndefined()
    for (const one of [two, three]) await one.end()
  })

  const exchange = (id: string): Exchange =>
    ({ id, direction: 'to-server', resource: { kind: 'call', server: 's', tool: 't' }, ...who('a') }) as unknown as Exchange
  let now = 1_700_000_000_000
  async function gateway(clock: FakeClock = createFakeClock()): Promise<{ leases: Leases; redis: StagedRedis; clock: FakeClock }> {
    const redis = new StagedRedis(real, () => now)
    const silent = { debug() {}, info() {}, warn() {}, error() {} }
    const about = { clock, log: silent, health: () => {}, find: () => undefined, metrics: { gauge: () => ({ set: () => {} }) } }
    const sharing = createSharing(redis, about as unknown as PluginContext)
    const limits = compileAtOnce({
      limits: [{ name: 'few', per: ['principal'], match: { kinds: ['call'] }, window: 1, atOnce: 2, costs: [] }],
    } as never)
    const leases = createLeases(limits, clock, { redis, sharing })
    await sharing.start()
    return { leases, redis, clock }
  }
  const isFree = async ({ leases }: { leases: Leases }, id: string): Promise<boolean> => (await leases.acquire(exchange(id))) === undefined

  test('what a gateway held that has died is free after its lease, and what lives is renewed', async () => {
    const dead = await gateway()
    expect(await isFree(dead, 'd1')).toBe(true)
    const alive = await gateway()
    expect(await isFree(alive, 'a1')).toBe(true)
    expect(await isFree(alive, 'a2')).toBe(false)
    for (let i = 0; i < 3; i++) {
      now += 10_000
      await alive.clock.advance(10_000)
      // Behind the renewal on its connection.
      await alive.redis.run('return 1', [], [])
    }
    now += 1
    expect(await isFree(alive, 'a2')).toBe(true)
    expect(await isFree(alive, 'a3')).toBe(false)
  })

  test('without Redis each gateway holds the limit by itself; with Redis again, what is under way counts together', async () => {
    const [first, second] = [await gateway(), await gateway()]
    expect(await isFree(first, 'a1')).toBe(true)
    for (const { redis } of [first, second]) redis.turn(false)
    expect([await isFree(first, 'a2'), await isFree(first, 'a3')]).toEqual([true, false])
    expect([await isFree(second, 'b1'), await isFree(second, 'b2'), await isFree(second, 'b3')]).toEqual([true, true, false])
    await server.ask('FLUSHALL')
    for (const { redis } of [first, second]) redis.turn(true)
    await Promise.all([first, second].map(({ redis }) => redis.run('return 1', [], [])))
    for (const id of ['a1', 'a2']) await first.leases.release(exchange(id))
    expect(await isFree(first, 'a4')).toBe(false)
    await second.leases.release(exchange('b1'))
    expect(await isFree(first, 'a5')).toBe(true)
  })

  test('an answer that cannot be is not taken for a place', async () => {
    const one = await gateway()
    expect([await isFree(one, 'a1'), await isFree(one, 'a2')]).toEqual([true, true])
    vi.spyOn(one.redis, 'run').mockResolvedValue(99)
    expect(await isFree(one, 'a3')).toBe(false)
  })
})
