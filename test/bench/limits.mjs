// What a limit costs: a check in memory and over Redis, the round trips of it, and the memory of 100,000 principals; through the plugin as it is built.
import { existsSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { percentile } from './statistics.mjs'

const PRINCIPALS = 100_000
const SHARED_CHECKS = { full: 10_000, quick: 2000 }
const BUILT = new URL('../../dist/', import.meta.url)
const REDIS = process.env.MCPGW_TEST_REDIS ?? 'redis://127.0.0.1:6379/9'
const limits = [{ name: 'bench', most: 1000, window: '1h', burst: 500 }]

/** @typedef {{ p50: number, p99: number }} Times microseconds */
/** @typedef {{ principals: number, ways: Record<string, Times>, mib: number, roundTrips?: number }} LimitResults */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<LimitResults | undefined>}
 */
export async function benchLimits(settings) {
  if (!existsSync(new URL('plugins/ratelimit/index.js', BUILT))) return undefined
  settings.progress('limits')
  const alone = await open(undefined)
  const before = heap()
  const first = await time(PRINCIPALS, alone)
  const mib = (heap() - before) / 1024 ** 2
  const again = await time(PRINCIPALS, alone)
  const shared = await timeShared(settings.windowFactor < 1 ? SHARED_CHECKS.quick : SHARED_CHECKS.full)
  return { principals: PRINCIPALS, mib, roundTrips: shared?.roundTrips, ways: { first, again, ...shared?.ways } }
}

/** @param {any} redis */
async function open(redis) {
  const { default: plugin } = await import(new URL('plugins/ratelimit/index.js', BUILT).href)
  const { systemClock } = await import(new URL('core/clock.js', BUILT).href)
  const none = () => {}
  const hooks = plugin.setup({
    config: plugin.config['~standard'].validate({ limits }).value,
    clock: systemClock,
    log: { debug: none, info: none, warn: none, error: none },
    metrics: { counter: () => ({ inc: none }), gauge: () => ({ set: none }) },
    stores: { redis: () => redis },
    health: none,
    find: none,
    onStop: none,
  })
  await hooks.start?.()
  return hooks
}

/** @param {number} count @param {any} hooks @param {string} prefix */
async function time(count, hooks, prefix = 'p') {
  const micros = new Float64Array(count)
  for (let n = 0; n < count; n++) {
    const x = exchange(`${prefix}${n}`)
    const from = performance.now()
    const verdict = hooks.onRequest(x)
    const { kind } = verdict instanceof Promise ? await verdict : verdict
    micros[n] = (performance.now() - from) * 1000
    if (kind !== 'pass') throw new Error('a request within its limit was refused')
  }
  return { p50: percentile([...micros], 0.5), p99: percentile([...micros], 0.99) }
}

/** @param {string} id */
const exchange = id => ({
  direction: 'to-server',
  resource: { kind: 'call', server: 's', tool: 't' },
  principal: { id, tenant: 'acme', roles: [], via: { method: 'bench' } },
  peer: {},
})

/** Beside the least that Redis can be asked for. @param {number} checks */
async function timeShared(checks) {
  const { createStores } = await import(new URL('core/store/index.js', BUILT).href)
  const redis = createStores({ dataDir: '/nonexistent', redis: REDIS }).redis()
  await redis.connect()
  try {
    if (!redis.state.isUp) return undefined
    let roundTrips = 0
    const run = (/** @type {unknown[]} */ ...all) => {
      roundTrips++
      return redis.run(...all)
    }
    const counting = { ...redis, state: { isUp: true }, run }
    const hooks = await open(counting)
    await time(checks, hooks, `warm-${process.pid}-`)
    roundTrips = 0
    const shared = await time(checks, hooks, `p-${process.pid}-`)
    const nothing = { onRequest: () => redis.run('return 1', [], []).then(() => ({ kind: 'pass' })) }
    return { roundTrips: roundTrips / checks, ways: { shared, nothing: await time(checks, nothing) } }
  } finally {
    await redis.close()
  }
}

function heap() {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
