// Twice as many calls as it can answer, sent whatever becomes of them: how many are answered still, and how fast the rest is refused. With 512 MB of heap.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { judge } from './figures.mjs'
import { gatewayIsBuilt, PLUGIN_SETS, startGateway } from './gateway.mjs'
import { readRss } from './processes.mjs'
import { formatTable } from './report.mjs'
import { median } from './statistics.mjs'
import { startUpstream, toolName } from './targets.mjs'

const CLIENT = fileURLToPath(new URL('overload-client.mjs', import.meta.url))
const CALLERS = 64
const PEAK_MS = 3000
const OVER_MS = 15_000
/** V8 takes its time; a gateway that has just begun needs several times the CPU for a call. */
const WARM_MS = 20_000
const TIMES = 2
const GOODPUT = 0.8
const REFUSED_MS = 50
const ROUNDS = 3

/**
 * @typedef {{ perSecond: number, p50: number, p99: number }} Times
 * @typedef {{ seconds: number, sent: number, good: Times, refused: Times, failed: Record<string, number> }} Window
 * @typedef {{ name: string, rounds: { peak: Window, over: Window }[], rss: number }} Overloaded
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<Overloaded[] | undefined>}
 */
export async function benchOverload(settings) {
  if (!gatewayIsBuilt()) return undefined
  const results = []
  for (const name of /** @type {const} */ (['none', 'os'])) results.push(await overload(name, settings))
  return results
}

/** @param {'none' | 'os'} name @param {import('./run.mjs').Settings} settings */
async function overload(name, settings) {
  const upstream = await startUpstream('http-http')
  const gateway = await startGateway({
    dir: join(settings.dir, `overload-${name}`),
    upstream: { url: `http://127.0.0.1:${upstream.port}/mcp` },
    plugins: PLUGIN_SETS[name],
    downstream: 'http',
    listen: { connections: { total: 16_000, perAddress: 16_000 } },
    nodeArgs: ['--max-old-space-size=512'],
  })
  try {
    const ask = client(/** @type {{ url: string }} */ (gateway).url, toolName(name))
    await ask('closed', CALLERS, PEAK_MS)
    await ask('closed', CALLERS, WARM_MS * settings.windowFactor)
    const rounds = []
    for (let round = 1; round <= Math.min(ROUNDS, settings.rounds); round++) {
      settings.progress(`overload, ${name}: round ${round}`)
      const peak = await ask('closed', CALLERS, PEAK_MS * settings.windowFactor)
      rounds.push({ peak, over: await ask('open', TIMES * peak.good.perSecond, OVER_MS * settings.windowFactor) })
    }
    return { name, rounds, rss: readRss(gateway.pid) }
  } finally {
    await gateway.stop()
    await upstream.stop()
  }
}

/** @param {string} url @param {string} tool @returns {(kind: 'closed' | 'open', amount: number, ms: number) => Promise<Window>} */
const client = (url, tool) => async (kind, amount, ms) => {
  const { stdout } = await promisify(execFile)(process.execPath, [CLIENT, url, tool, kind, String(amount), String(ms)])
  return JSON.parse(stdout)
}

/** @param {Overloaded} result */
const goodputOf = ({ rounds }) => median(rounds.map(({ peak, over }) => over.good.perSecond / peak.good.perSecond))
/** @param {Overloaded} result @param {(over: Window) => number} of */
const overOf = ({ rounds }, of) => median(rounds.map(({ over }) => of(over)))

/** @param {readonly Overloaded[]} results */
export function formatOverload(results) {
  const rows = results.map(result => [
    result.name,
    median(result.rounds.map(({ peak }) => peak.good.perSecond)).toFixed(0),
    overOf(result, over => over.sent).toFixed(0),
    goodputOf(result).toFixed(2),
    overOf(result, over => over.good.p50).toFixed(0),
    overOf(result, over => over.refused.perSecond).toFixed(0),
    `${overOf(result, over => over.refused.p50).toFixed(0)} / ${overOf(result, over => over.refused.p99).toFixed(0)}`,
    JSON.stringify(Object.assign({}, ...result.rounds.map(({ over }) => over.failed))),
    result.rss.toFixed(0),
  ])
  const head = ['', 'peak/s', 'sent/s', 'goodput', 'p50 ms', 'refused/s', 'refused p50 / p99 ms', 'others', 'RSS MiB']
  return `twice the calls that it can answer, --max-old-space-size=512\n${formatTable([head, ...rows])}`
}

/** @param {readonly Overloaded[]} results */
export function judgeOverload(results) {
  return results.flatMap(result => [
    judge(`goodput at twice the capacity, ${result.name}`, 'overload', goodputOf(result), [GOODPUT], '>=', 'x peak'),
    judge(
      `a refusal takes at p99, ${result.name}`,
      'overload',
      overOf(result, over => over.refused.p99),
      [REFUSED_MS],
      '<=',
      'ms',
    ),
  ])
}
