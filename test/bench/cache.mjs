// What it takes to be answered from the cache, beside a bare proxy hop to the server, in the same rounds.
import { judge } from './figures.mjs'
import { timeEach, warmUp } from './measure.mjs'
import { checkAnswer, echoCall, verifyCall } from './messages.mjs'
import { formatTable } from './report.mjs'
import { runRounds } from './rounds.mjs'
import { median, medianRatio, percentile } from './statistics.mjs'
import { skipUnbuilt, startTarget, startUpstream } from './targets.mjs'

const CALLS = 2000
const MOST = 0.5
/** @type {Readonly<Record<string, string>>} */
const NAMES = { raw: 'raw', cache: 'policy and cache', 'cache-os': 'policy, audit os, redact and cache' }

/** @typedef {{ p50: Record<string, number[]> }} CacheResults target -> ms, one a round */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<CacheResults>}
 */
export async function benchCache(settings) {
  const upstream = await startUpstream('http-http')
  /** @type {import('./targets.mjs').Target[]} */
  const targets = []
  try {
    for (const name of skipUnbuilt(Object.keys(NAMES)))
      targets.push(await startTarget(name, 'http-http', upstream, `${settings.dir}/cache`))
    const calls = Math.ceil(CALLS * settings.windowFactor)
    for (const { client, tool } of targets) {
      await verifyCall(client, echoCall(tool, 100))
      await warmUp(client, echoCall(tool, 100), settings.windowFactor)
    }
    const step = {
      name: 'hit',
      /** @param {import('./targets.mjs').Target} target */
      async run({ client, tool }) {
        const call = echoCall(tool, 100)
        const times = await timeEach(calls, async () => checkAnswer(await client.request('tools/call', call.params), call))
        return percentile(times, 0.5)
      },
    }
    const measured = await runRounds(targets, [step], settings.rounds, text => settings.progress(`cache: ${text}`))
    return { p50: Object.fromEntries(Object.entries(measured).map(([target, { hit = [] }]) => [target, hit])) }
  } finally {
    await Promise.all(targets.map(target => target.stop()))
    await upstream.stop()
  }
}

/** @param {CacheResults} results */
export function formatCache({ p50 }) {
  const rows = Object.entries(p50).map(([name, times]) => [
    NAMES[name] ?? name,
    median(times).toFixed(3),
    medianRatio(times, p50.raw ?? []).toFixed(2),
  ])
  return `answered from the cache, one call after the other, HTTP\n${formatTable([['', 'p50 ms', 'x raw'], ...rows])}`
}

/** @param {CacheResults} results */
export function judgeCache({ p50 }) {
  return Object.keys(p50)
    .filter(name => name !== 'raw')
    .map(name => judge(`a hit with ${NAMES[name]} takes`, 'cache', medianRatio(p50[name] ?? [], p50.raw ?? []), [MOST], '<=', 'x raw'))
}
