// Case 33: two gateways hold one limit together in Redis; it is killed under load, and comes back empty.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, readHealth, startProduct, untilHealth } from '../e2e/product.ts'
import { readRecords } from '../e2e/records.ts'
import { codeOf, openSession, type Session } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { hasRedis, type RedisServer, startRedis } from '../redis/server.ts'

const MINUTES = 60_000
const MOST = 100
/** Longer than the test, so that nothing leaves it meanwhile. */
const window = '1h'

interface Gateway {
  readonly dir: string
  readonly product: Product
  readonly session: Session
}

describe.skipIf(!isBuilt || !hasRedis)('two gateways and one Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.remove())

  async function start(plugins: readonly object[], files: Readonly<Record<string, string>> = {}): Promise<Gateway> {
    const dir = createFolder()
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
    const policies = Object.keys(files).map(name => join(dir, name))
    const config = {
      servers: [{ id: 'odd', ...oddServer() }],
      plugins: ['audit', ...plugins],
      ...(policies.length > 0 && { policies }),
      store: { dir: join(dir, '.mcpgw'), redis: redis.url },
    }
    const product = await startProduct({ dir, config })
    return { dir, product, session: await openSession(product.origin) }
  }
  const stop = async ({ product }: Gateway): Promise<void> => expect(await product.stop()).toEqual({ code: 0, signal: null })

  /** How many of so many calls at once each lets through; any refusal but that of the limit is a failure. */
  async function accept(gateways: readonly Gateway[], times: number): Promise<number[]> {
    return await Promise.all(
      gateways.map(async ({ session }) => {
        const answers = await Promise.all(Array.from({ length: times }, () => session.call('odd__echo', { name: 'x' })))
        const codes = answers.map(codeOf)
        expect(codes.filter(code => code !== undefined && code !== 'rate-limited')).toEqual([])
        return codes.filter(code => code === undefined).length
      }),
    )
  }
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
  const ratelimitIs = (gateway: Gateway, status: string): Promise<unknown> =>
    untilHealth(gateway.product.origin, ({ components }) => components.some(one => one.name === 'ratelimit' && one.status === status))

  test(
    'together exactly the limit; without Redis no call fails and never more than one limit each; both on record; together again by itself',
    async () => {
      const limit = { ratelimit: { limits: [{ name: 'all', per: 'all', most: MOST, window }] } }
      const gateways = await Promise.all([start([limit]), start([limit])])
      const before = await accept(gateways, 20)
      expect(before).toEqual([20, 20])
      const under = accept(gateways, 40)
      await redis.kill()
      const began = performance.now()
      const during = [...(await under), ...(await accept(gateways, 120))]
      for (const gateway of gateways) await ratelimitIs(gateway, 'degraded')
      console.info(`counted alone ${(performance.now() - began).toFixed(0)} ms after the kill, 320 calls later`)
      expect(await accept(gateways, 10)).toEqual([0, 0])
      expect(sum(before) + sum(during)).toBeGreaterThanOrEqual(MOST)
      expect(sum(before) + sum(during)).toBeLessThanOrEqual(2 * MOST)
      await redis.start()
      for (const gateway of gateways) await ratelimitIs(gateway, 'ok')
      // What Redis has forgotten the gateways know.
      expect(await accept(gateways, 20)).toEqual([0, 0])
      for (const gateway of gateways) {
        expect((await readHealth(gateway.product.origin)).status).toBe('ok')
        await stop(gateway)
        const changes = readRecords(gateway.dir).filter(({ type }) => type.startsWith('ratelimit.'))
        expect(changes.map(({ type, success }) => [type, success])).toEqual([
          ['ratelimit.fallback', false],
          ['ratelimit.shared', true],
        ])
      }
    },
    2 * MINUTES,
  )

  test(
    'Redis forgets everything again and again, under load: never more than one limit each, told in health, and together again by itself',
    async () => {
      await redis.ask('FLUSHALL')
      const limit = { ratelimit: { limits: [{ name: 'all', per: 'all', most: MOST, window, atOnce: 50 }] } }
      const gateways = await Promise.all([start([limit]), start([limit])])
      const rounds: number[][] = []
      for (let i = 0; i < 8; i++) {
        const under = accept(gateways, 40)
        await redis.ask('FLUSHALL')
        rounds.push(await under)
      }
      for (const at of [0, 1]) expect(sum(rounds.map(round => round[at]!))).toBeLessThanOrEqual(MOST)
      for (const gateway of gateways) await ratelimitIs(gateway, 'ok')
      for (const gateway of gateways) await stop(gateway)
      const reasons = gateways.flatMap(({ dir }) => readRecords(dir).filter(({ type }) => type === 'ratelimit.fallback'))
      expect(JSON.stringify(reasons)).toContain('less was counted than this gateway alone has let through')
    },
    2 * MINUTES,
  )

  test(
    'the limit of a policy is one limit of all gateways',
    async () => {
      const rule = `policy "limits" edition 1\n\nallow echo {\n  who  any\n  call odd/echo\n  then limit(${MOST}, per: ${window}, by: all)\n}\n`
      const plugins = ['ratelimit', 'policy'] as unknown as object[]
      const gateways = await Promise.all([start(plugins, { 'a.policy': rule }), start(plugins, { 'a.policy': rule })])
      const rounds = [await accept(gateways, 30), await accept(gateways, 40)]
      expect(sum(rounds.flat())).toBe(MOST)
      for (const gateway of gateways) await stop(gateway)
    },
    2 * MINUTES,
  )
})
