// Three gateways, one PostgreSQL, one Redis, mixed calls: each of the five is killed and comes back, and what all promise together holds.
// The short form kills one of the gateways; MCPGW_CHAOS=full kills each of the five three times, at a higher rate.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectHttp, type Streaming } from '../core/data-plane/clients.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct, untilHealth } from '../e2e/product.ts'
import { initialize, post } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { type Cluster, startCluster } from '../postgres/cluster.ts'
import { endsOf, readRecords } from '../postgres/records.ts'
import { server } from '../postgres/server.ts'
import { hasRedis, type RedisServer, startRedis } from '../redis/server.ts'
import { type MixedCalls, type MixedOptions, startMixed } from './mixed-calls.ts'

const IS_LONG = process.env.MCPGW_CHAOS === 'full'
const ROUNDS = IS_LONG ? 3 : 1
const PER_SECOND = IS_LONG ? 120 : 40
const MINUTES = 60_000
const GATEWAYS = [0, 1, 2] as const
/** Long enough that nothing leaves it meanwhile. */
const MOST = 40
/** Of these the keys stand in the config; those that are revoked are in the database. */
const CALLERS = ['steady', 'greedy', ...Array.from({ length: ROUNDS }, (_, at) => `alone${at + 1}`)]
const fixedKey = (id: string): object => ({ id, consumerId: id, name: id, key: `key-of-${id}-`.padEnd(40, 'x') })
const bearer = (key: string): string[] => ['authorization', `Bearer ${key}`]
const policy = `policy "mixed" edition 1
allow most {
  who  any
  call odd/echo, odd/slow, twin/echo, twin/slow
}
`

interface Gateway {
  readonly dir: string
  product: Product
  isUp: boolean
}

async function startGateway(dir: string, config?: object): Promise<Gateway> {
  return { dir, product: await startProduct({ dir, ...(config && { config }) }), isUp: true }
}

/** Whatever is away, a gateway that nobody ended goes on: with what it said last, where it did not. */
async function untilComponent({ product }: Gateway, name: string, status: string): Promise<void> {
  const fallen = product.exited.then(({ code }) =>
    Promise.reject(new Error(`ended by itself with ${code}:\n${product.said().slice(-3000)}`)),
  )
  const there = untilHealth(product.origin, ({ components }) => components.some(one => one.name === name && one.status === status))
  await Promise.race([there.catch(() => fallen), fallen])
}

describe.skipIf(!isBuilt || server === undefined || !hasRedis)('three gateways, one PostgreSQL and one Redis', () => {
  // For each attempt anew: a database belongs to the pepper that it was first opened with.
  let cluster: Cluster
  let redis: RedisServer
  beforeEach(async () => {
    ;[cluster, redis] = await Promise.all([startCluster(), startRedis()])
  }, 3 * MINUTES)
  afterEach(() => Promise.all([cluster?.remove(), redis?.remove()]))

  async function startAll(): Promise<Gateway[]> {
    const shared = createFolder({ 'mixed.policy': policy })
    const few = { name: 'few', per: 'principal', match: { servers: ['twin'], tools: ['slow'] }, most: MOST, window: '6h' }
    const configOf = (dir: string): object => ({
      servers: ['odd', 'twin'].map(id => ({ id, ...oddServer() })),
      policies: [join(shared, 'mixed.policy')],
      plugins: [
        { audit: { signingKey: join(shared, 'signing-key'), checkpoints: { records: 200, every: '2s' } } },
        { auth: { keys: { pepper: join(shared, 'pepper'), shared: true }, apiKeys: CALLERS.map(fixedKey) } },
        { ratelimit: { limits: [few] } },
        { meter: { prices: [{ tool: 'echo', units: 1.5 }] } },
        'policy',
        'redact',
      ],
      store: { dir: join(dir, '.mcpgw'), url: cluster.url, redis: redis.url },
    })
    const dirs = GATEWAYS.map(() => createFolder())
    const gateways = [await startGateway(dirs[0]!, configOf(dirs[0]!))]
    for (const dir of dirs.slice(1)) {
      // So that each can read what the others have written.
      mkdirSync(join(dir, '.mcpgw'), { mode: 0o700 })
      copyFileSync(join(dirs[0]!, '.mcpgw', 'audit.db.key'), join(dir, '.mcpgw', 'audit.db.key'))
      gateways.push(await startGateway(dir, configOf(dir)))
    }
    return gateways
  }

  test(
    'whichever is killed: nothing acknowledged is lost, limits hold, keys end everywhere, all streams verify, usage is what the log has',
    async () => {
      const gateways = await startAll()
      const dir = gateways[0]!.dir
      const origins = (): string[] => gateways.map(({ product }) => product.origin)
      const up = (): Gateway[] => gateways.filter(({ isUp }) => isUp)
      const startCaller = (id: string, how: Pick<MixedOptions, 'kinds' | 'perSecond' | 'callers'>): MixedCalls =>
        startMixed({ origins, prefix: id, headers: bearer((fixedKey(id) as { key: string }).key), ...how })
      const load = startCaller('steady', {
        kinds: ['plain', 'masked', 'twin', 'slow', 'plain', 'denied', 'list', 'twin'],
        perSecond: PER_SECOND,
        callers: 12,
      })
      const limited = (id: string): MixedCalls => startCaller(id, { kinds: ['limited'], perSecond: 15, callers: 4 })
      const greedy = limited('greedy')
      const loads = [load, greedy]

      /** Of a key that is revoked while a stream is open under it at each gateway that is up: ms to the end of the last one. */
      async function revokeOne(consumer: string): Promise<{ readonly key: string; readonly ms: number }> {
        const { id, key } = JSON.parse(runCli(['keys', 'create', consumer, consumer, '--json'], dir).out) as { id: string; key: string }
        await Promise.all(up().map(({ product }) => untilKnown(product, key)))
        const streams = await Promise.all(up().map(({ product }) => openStream(product, key)))
        const began = performance.now()
        expect(runCli(['keys', 'revoke', id], dir).code).toBe(0)
        const revoked = performance.now()
        const ends = await Promise.all(streams.map(({ done }) => done.then(() => performance.now())))
        for (const { product } of up()) expect(await statusFor(product, key)).toBe(401)
        expect(Math.min(...ends)).toBeGreaterThan(began)
        return { key, ms: Math.max(...ends) - revoked }
      }

      const times: number[] = []
      for (let round = 1; round <= ROUNDS; round++) {
        for (const at of IS_LONG ? GATEWAYS : [Math.floor(Math.random() * GATEWAYS.length)]) {
          const victim = gateways[at]!
          await load.answers(60)
          victim.product.signal('SIGKILL')
          victim.isUp = false
          await victim.product.exited
          await load.answers(40)
          // Revoked while this one is away: it must not know the key when it is back.
          const { key, ms } = await revokeOne(`round${round}-${at}`)
          times.push(ms)
          gateways[at] = await startGateway(victim.dir)
          expect(await statusFor(gateways[at].product, key)).toBe(401)
        }
        await load.answers(60)
        await cluster.kill()
        for (const gateway of gateways) await untilComponent(gateway, 'audit', 'failing')
        await cluster.start()
        for (const gateway of gateways) await untilComponent(gateway, 'audit', 'ok')

        await load.answers(60)
        // Nothing was let through beyond the limit so far, whoever was killed. From here on each gateway may count alone for a while.
        if (round === 1) await until(() => (greedy.failed.get('limited rate-limited') ?? 0) > 0)
        await redis.kill()
        const alone = limited(`alone${round}`)
        loads.push(alone)
        for (const gateway of gateways) await untilComponent(gateway, 'ratelimit', 'degraded')
        await alone.answers(5)
        await redis.start()
        for (const gateway of gateways) await untilComponent(gateway, 'ratelimit', 'ok')
        times.push((await revokeOne(`round${round}-redis`)).ms)
        await load.answers(60)
      }
      for (const one of loads) await one.end()
      for (const { product } of gateways) expect(await product.stop()).toEqual({ code: 0, signal: null })
      console.info(
        `${load.sent()} mixed calls, ${load.answered.size} answered and ${load.lists()} lists; not answered: ${JSON.stringify([...load.failed])}; ` +
          `keys ended everywhere after ${times.map(ms => ms.toFixed(0)).join(', ')} ms`,
      )

      // What a caller may be told while something is down; `wrong` would be the answer to another call, or a card.
      const codes = new Set(loads.flatMap(({ failed }) => [...failed.keys()].map(key => key.split(' ')[1]!)))
      const allowed = [
        'cut',
        'unknown-tool',
        'denied',
        'not-recorded',
        'withheld',
        'session-unknown',
        'rate-limited',
        'upstream-unavailable',
      ]
      expect([...codes].filter(code => !allowed.includes(code))).toEqual([])

      const records = await readRecords(dir, cluster.url)
      const ends = endsOf(records)
      const callOf = new Map(records.filter(({ type }) => type === 'intent').map(({ args, callId }) => [String(args?.name), callId!]))
      for (const { answered } of loads)
        expect([...answered.keys()].filter(name => ends.get(callOf.get(name) ?? '') !== 'answered')).toEqual([])
      expect([...ends].filter(([, outcome]) => outcome === undefined)).toEqual([])

      const admitted = (prefix: string): number => [...callOf.keys()].filter(name => name.startsWith(`${prefix}-`)).length
      expect(admitted('greedy')).toBeGreaterThanOrEqual(greedy.answered.size)
      expect(admitted('greedy')).toBeLessThanOrEqual(MOST)
      for (let round = 1; round <= ROUNDS; round++) expect(admitted(`alone${round}`)).toBeLessThanOrEqual(MOST * GATEWAYS.length)

      expectWhole(dir)
      const { code, out, err } = runCli(['usage', '--by', 'tool', '--json'], dir)
      expect(code, err).toBe(0)
      const used = (JSON.parse(out) as { rows: { calls: number }[] }).rows.reduce((sum, { calls }) => sum + calls, 0)
      const known = [...ends.values()].filter(outcome => outcome !== 'unknown' && outcome !== 'refused').length
      expect(used).toBe(known)
      expect(runCli(['usage', '--reconcile'], dir).out).toBe('EQUAL: usage has what the audit log has\n')
    },
    (IS_LONG ? 30 : 10) * MINUTES,
  )

  /** All streams verify, and the newest checkpoint proves that none of them was cut off. */
  function expectWhole(dir: string): void {
    const exported = runCli(['audit', 'export', '--out', 'evidence.jsonl'], dir)
    expect(exported.code, exported.err).toBe(0)
    const key = runCli(['audit', 'key'], dir).out.trim()
    const { code, out, err } = runCli(['audit', 'verify', 'evidence.jsonl', '--checkpoint', 'evidence.jsonl', '--key', key], dir)
    expect(code, out + err).toBe(0)
  }
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20)
}

const statusFor = async ({ origin }: Product, key: string): Promise<number> =>
  (await post(origin, initialize(), { headers: bearer(key) })).status

/** Each gateway looks for new keys by itself. */
async function untilKnown(product: Product, key: string): Promise<void> {
  while ((await statusFor(product, key)) === 401) await sleep(50)
}

async function openStream({ origin }: Product, key: string): Promise<Streaming> {
  const gateway = { port: Number(new URL(origin).port) } as Parameters<typeof connectHttp>[0]
  const stream = await (await connectHttp(gateway, { headers: { authorization: `Bearer ${key}` } })).listen()
  expect(stream.status).toBe(200)
  return stream
}
