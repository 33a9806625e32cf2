// Two gateways and one Redis: together no more than one limit; without it no more than one limit each, told in health and on record, and together again by itself.
import { type AdminEvent, allow, definePlugin, deny, type Plugin, pass, Recording, type StandardSchemaV1 } from 'mcpgw/plugin'
import { createFakeClock, createTemporaryStores, type Harness, harness } from 'mcpgw/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import ratelimit from '../../../plugins/ratelimit/index.ts'
import { hasRedis, type RedisServer, startRedis } from '../../redis/server.ts'

const PATIENCE = { timeout: 20_000, interval: 10 }
const anything: StandardSchemaV1<unknown, object> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as object }) },
}
const hundred = { limits: [{ name: 'all-calls', most: 100, window: '1m' }] }
const alice = { principal: { id: 'alice', tenant: 'acme', roles: [], claims: {}, via: { method: 'test' } } }

function recorder(events: AdminEvent[]): Plugin<object> {
  return definePlugin({
    name: 'recorder',
    apiVersion: 1,
    config: anything,
    capabilities: [],
    provides: [Recording],
    setup(ctx) {
      ctx.provide(Recording, { event: async event => void events.push(event) })
      return {}
    },
  })
}

/** Allows everything under `limit(100, per: 1m)`; refuses tools called `late` at the last moment. */
const decider = definePlugin({
  name: 'decider',
  apiVersion: 1,
  config: anything,
  capabilities: ['decides'],
  setup: () => ({
    onRequest: () => allow(['rule'], [{ name: 'limit', args: [{ value: 100 }, { name: 'per', value: '1m' }] }]),
    onSealed: ({ resource }) => (resource.kind === 'call' && resource.tool === 'late' ? deny('denied', 'late') : pass),
  }),
})

interface World extends Harness {
  readonly events: AdminEvent[]
  /** How many of so many calls at once are let through. */
  accept(times: number, tool?: string): Promise<number>
  health(): string | undefined
}
async function gateway(redis: string, config: object, isDecided = false): Promise<World> {
  const stores = createTemporaryStores({ redis })
  const events: AdminEvent[] = []
  const plugins = [recorder(events), { plugin: ratelimit, config }, ...(isDecided ? [decider] : [])]
  const made = await harness({ plugins, stores, clock: createFakeClock() })
  onTestFinished(async () => {
    await made.stop()
    stores.remove()
  })
  return {
    ...made,
    events,
    async accept(times, tool = 't') {
      const all = await Promise.all(Array.from({ length: times }, () => made.call('s', tool, {}, alice)))
      const refused = all.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal.code]))
      expect(refused.filter(code => code !== 'rate-limited' && code !== 'denied')).toEqual([])
      return times - refused.length
    },
    health: () => made.kernel.health.view().components.find(({ name }) => name === 'ratelimit')?.why,
  }
}
async function server(): Promise<RedisServer> {
  const made = await startRedis()
  onTestFinished(() => made.remove())
  return made
}
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
const types = ({ events }: World): string[] => events.map(({ type }) => type)

test('a gateway that does not find Redis starts, counts alone, and says so', async () => {
  const made = await gateway('redis://127.0.0.1:1', hundred)
  expect(await made.accept(150)).toBe(100)
  expect(made.health()).toMatch(/^each gateway counts its limits alone: redis:\/\/127\.0\.0\.1:1\/0: .*ECONNREFUSED/)
  expect(made.kernel.health.status).toBe('degraded')
  expect(made.events).toMatchObject([{ type: 'ratelimit.fallback', success: false, detail: { store: 'redis://127.0.0.1:1/0' } }])
})

describe.skipIf(!hasRedis)('with a real server', () => {
  test.each([
    ['a limit of the config', hundred, false],
    ['a limit of a policy', {}, true],
  ])('%s is held exactly by two gateways, however their calls mix', async (_, config, isDecided) => {
    const { url } = await server()
    const gateways = await Promise.all([gateway(url, config, isDecided), gateway(url, config, isDecided)])
    const rounds = await Promise.all([...gateways, ...gateways, ...gateways].map(({ accept }) => accept(60)))
    expect(sum(rounds)).toBe(100)
    const { refusal } = await gateways[0]!.call('s', 't', {}, alice)
    expect(refusal?.retryAfter).toBeGreaterThan(0)
    expect(refusal?.retryAfter).toBeLessThanOrEqual(60)
    expect(gateways.map(({ events }) => events)).toEqual([[], []])
  })

  test('case 33: Redis is killed on the way: no call fails, never more than one limit for each gateway, all of it on record, and together again by itself', async () => {
    const own = await server()
    const gateways = await Promise.all([gateway(own.url, hundred), gateway(own.url, hundred)])
    const [first, second] = gateways as [World, World]
    const before = [await first.accept(30), await second.accept(30), await first.accept(10)]
    expect(before).toEqual([30, 30, 10])
    // Calls are under way while it dies.
    const under = Promise.all(gateways.map(({ accept }) => accept(20)))
    await own.kill()
    const during = [...(await under), ...(await Promise.all(gateways.map(({ accept }) => accept(200))))]
    for (const made of gateways) {
      expect(await made.accept(1)).toBe(0)
      expect(made.health()).toContain('each gateway counts its limits alone')
      expect(types(made)).toEqual(['ratelimit.fallback'])
    }
    const let_through = sum(before) + sum(during)
    expect(let_through).toBeGreaterThanOrEqual(100)
    expect(let_through).toBeLessThanOrEqual(200)
    // What was counted before the loss still counts: of the first it knows all, the second knows of 60.
    expect(during[0]! + during[2]!).toBeLessThanOrEqual(30 + 20)
    expect(during[1]! + during[3]!).toBeLessThanOrEqual(40)
    // It comes back, and has forgotten everything.
    await own.start()
    for (const made of gateways) {
      await vi.waitFor(() => expect(types(made)).toEqual(['ratelimit.fallback', 'ratelimit.shared']), PATIENCE)
      expect(made.health()).toBeUndefined()
      expect(made.events[1]).toMatchObject({ success: true, detail: { aloneMs: expect.any(Number) } })
      expect(await made.accept(20)).toBe(0)
    }
    // Who had asked nothing is still counted together.
    const bob = { principal: { ...alice.principal, id: 'bob' } }
    const bobs = await Promise.all(Array.from({ length: 140 }, (_, i) => gateways[i % 2]!.call('s', 't', {}, bob)))
    expect(bobs.filter(({ refusal }) => refusal === undefined)).toHaveLength(100)
  })

  test('Redis falls silent: whoever waits is answered, nobody waits from then on, and the limit is held', async () => {
    const own = await server()
    const made = await gateway(own.url, hundred)
    expect(await made.accept(40)).toBe(40)
    own.freeze()
    expect(await made.accept(150)).toBe(60)
    expect(types(made)).toEqual(['ratelimit.fallback'])
    own.thaw()
    await vi.waitFor(() => expect(types(made)).toEqual(['ratelimit.fallback', 'ratelimit.shared']), PATIENCE)
    expect(await made.accept(10)).toBe(0)
  })

  test('Redis is flushed while everybody is connected: the next request finds it out, and what the gateways know counts there again', async () => {
    const { url, ask } = await server()
    const [first, second] = await Promise.all([gateway(url, hundred), gateway(url, hundred)])
    expect([await first.accept(40), await second.accept(40)]).toEqual([40, 40])
    await ask('FLUSHALL')
    expect([await first.accept(1), await second.accept(1)]).toEqual([1, 1])
    for (const made of [first, second]) {
      expect(made.health()).toMatch(/it says that less was counted than this gateway alone has let through$/)
      await made.clock.advance(2000)
      expect(made.health()).toBeUndefined()
      expect(types(made)).toEqual(['ratelimit.fallback', 'ratelimit.shared'])
    }
    // The second has heard of the first before: of what it tells again both get no more than what is left.
    expect(sum([await second.accept(60), await first.accept(60)])).toBeLessThanOrEqual(19)
    expect(types(first)).toHaveLength(2)
  })

  test.each([
    ['a key of another kind', ['LPUSH', '1']],
    ['what is no state', ['SET', 'garbage']],
    ['a state that cannot be', ['SET', '\x93\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00\x01\xff']],
  ])('where somebody else has written %s, the limit is held by each gateway, and Redis is asked again later', async (_, [verb, value]) => {
    const { url, ask } = await server()
    const made = await gateway(url, hundred)
    expect(await made.accept(40)).toBe(40)
    const [key] = (await ask('KEYS', 'mcpgw:{*')) as string[]
    await ask('DEL', key!)
    await ask(verb!, key!, value!)
    expect(await made.accept(150)).toBe(60)
    expect(types(made)).toEqual(['ratelimit.fallback'])
    await ask('DEL', key!)
    await made.clock.advance(120_000)
    expect(types(made)).toEqual(['ratelimit.fallback', 'ratelimit.shared'])
    expect(await made.accept(150)).toBe(100)
  })

  test('a role with the rights that the README names, and no other, is enough', async () => {
    const { url, ask } = await server()
    const commands = 'eval evalsha get set time pexpire zadd zcard zrem zremrangebyscore'.split(' ')
    await ask('ACL', 'SETUSER', 'gateway', 'on', '>secret', 'resetkeys', '~mcpgw:*', '-@all', ...commands.map(one => `+${one}`))
    const config = { limits: [{ name: 'all', most: 10, burst: 10, atOnce: 20 }] }
    const made = await gateway(url.replace('redis://', 'redis://gateway:secret@'), config, true)
    expect(made.health()).toBeUndefined()
    expect(await made.accept(10, 'late')).toBe(0)
    expect(await made.accept(10)).toBe(0)
    expect(made.events).toEqual([])
    expect((await ask('ACL', 'LOG')) as unknown[]).toEqual([])
  })

  test('a call that was refused after all does not count for any gateway', async () => {
    const { url } = await server()
    const [first, second] = await Promise.all([gateway(url, {}, true), gateway(url, {}, true)])
    for (let i = 0; i < 3; i++) expect(await first.accept(70, 'late')).toBe(0)
    expect(sum(await Promise.all([first.accept(80), second.accept(80)]))).toBe(100)
  })
})
