// `tools/list` with few and with many tools: all pages of it, as an agent has to read them.
import { measureCalls, timeEach } from './measure.mjs'
import { echoCall, parseAnswer } from './messages.mjs'
import { runRounds } from './rounds.mjs'
import { percentile } from './statistics.mjs'
import { skipUnbuilt, startTarget, startUpstream } from './targets.mjs'

export const TOOL_COUNTS = [10, 100, 1000]
/** Fewer of the long ones, so that each count takes about as long. */
const callsARound = (/** @type {number} */ count) => Math.min(300, 60_000 / count)
const WARM_UP_MS = 1000
const CURSOR_KEY = Buffer.from('"nextCursor":')

/**
 * @typedef {object} ListResults
 * @property {Record<number, Record<string, number[]>>} p50 number of tools -> target -> ms, one a round
 * @property {Record<string, string>} failed `target with n tools` -> why it was not measured
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<ListResults>}
 */
export async function benchLists(settings) {
  /** @type {ListResults} */
  const results = { p50: {}, failed: {} }
  for (const count of TOOL_COUNTS) results.p50[count] = await benchList(count, settings, results.failed)
  return results
}

/**
 * @param {number} count
 * @param {import('./run.mjs').Settings} settings
 * @param {Record<string, string>} failed
 */
async function benchList(count, settings, failed) {
  const upstream = await startUpstream('http-http', count)
  /** @type {import('./targets.mjs').Target[]} */
  const targets = []
  try {
    for (const name of skipUnbuilt(['direct', 'raw', 'none', 'os'])) {
      try {
        const target = await startTarget(name, 'http-http', upstream, `${settings.dir}/list-${count}`)
        await verifyList(target, count).then(
          () => targets.push(target),
          error => target.stop().then(() => Promise.reject(error)),
        )
      } catch (error) {
        failed[`${name} with ${count} tools`] = String(error)
        settings.progress(`list of ${count}: ${name} is not measured: ${String(error)}`)
      }
    }
    // A list is asked too seldom to warm a process up by itself: without calls before, it is the compiler that is measured.
    for (const { client, tool } of targets) await measureCalls(client, echoCall(tool, 100), 16, WARM_UP_MS)
    const calls = Math.ceil(callsARound(count) * settings.windowFactor)
    const step = { name: 'list', run: timeList(calls) }
    const measured = await runRounds(targets, [step], settings.rounds, text => settings.progress(`list of ${count}: ${text}`))
    return Object.fromEntries(Object.entries(measured).map(([target, { list = [] }]) => [target, list]))
  } finally {
    await Promise.all(targets.map(target => target.stop()))
    await upstream.stop()
  }
}

/** @param {number} calls */
function timeList(calls) {
  /** @param {import('./targets.mjs').Target} target */
  return async ({ client }) => percentile(await timeEach(calls, () => readPages(client)), 0.5)
}

/**
 * Every page; only a page that names a next one is parsed, so that the client's parsing is not what is measured.
 * @param {import('./http-client.mjs').Client} client
 */
async function readPages(client) {
  const pages = [await client.request('tools/list', '{}')]
  for (let last = pages[0]; last?.includes(CURSOR_KEY); last = pages.at(-1)) {
    pages.push(await client.request('tools/list', JSON.stringify({ cursor: parseAnswer(last).result.nextCursor })))
  }
  return pages
}

/**
 * @param {import('./targets.mjs').Target} target
 * @param {number} count
 */
async function verifyList({ client, tool }, count) {
  const names = (await readPages(client)).flatMap(page =>
    parseAnswer(page).result.tools.map((/** @type {{ name: string }} */ each) => each.name),
  )
  if (names.length !== count || !names.includes(tool))
    throw new Error(`listed ${names.length} tools of ${count}: ${names.slice(0, 3).join(', ')}`)
}
