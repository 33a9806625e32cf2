// Whether the gateway stays as it is: memory, open files and warnings over 100,000 calls and 1,000 sessions of each era.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGateway } from './gateway.mjs'
import { connectHttp, connectStateless, openPool, openSession } from './http-client.mjs'
import { echoCall, verifyCall } from './messages.mjs'
import { readRss, startListening } from './processes.mjs'
import { HTTP_SERVER, skipUnbuilt } from './targets.mjs'

const TOOL = 'bench__echo'
const CALLS = 100_000
const SESSIONS = 1000
const AT_ONCE = 32
const SETTLE_MS = 1500

/**
 * @typedef {object} FlatResults
 * @property {{ name: string, rssBefore: number, rssAfter: number, filesBefore: number, filesAfter: number }[]} spans MiB and open files
 * @property {number} warnings of leaks that Node printed
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<FlatResults | undefined>}
 */
export async function benchFlat(settings) {
  if (skipUnbuilt(['none']).length === 0) return undefined
  const server = await startListening([HTTP_SERVER])
  const gateway = await startGateway({
    dir: join(settings.dir, 'flat'),
    upstream: { url: `http://127.0.0.1:${server.port}/mcp` },
    plugins: [],
    downstream: 'http',
  })
  const url = /** @type {{ url: string }} */ (gateway).url
  const calls = Math.round(CALLS * settings.windowFactor)
  const sessions = Math.round(SESSIONS * settings.windowFactor)
  /** @type {FlatResults['spans']} */
  const spans = []
  /** @param {string} name @param {() => Promise<void>} warm @param {() => Promise<void>} work */
  const span = async (name, warm, work) => {
    settings.progress(`flat: ${name}`)
    await warm()
    await sleep(SETTLE_MS)
    const before = { rssBefore: readRss(gateway.pid), filesBefore: countFiles(gateway.pid) }
    await work()
    await sleep(SETTLE_MS)
    spans.push({ name, ...before, rssAfter: readRss(gateway.pid), filesAfter: countFiles(gateway.pid) })
  }
  const legacy = await connectHttp(url, AT_ONCE)
  const modern = connectStateless(url, AT_ONCE)
  const { pool, path } = openPool(url, AT_ONCE)
  try {
    for (const [era, client] of /** @type {const} */ ([
      ['legacy', legacy],
      ['modern', modern],
    ])) {
      await verifyCall(client, echoCall(TOOL, 100))
      await span(
        `${calls} calls, ${era}`,
        () => callMany(client, calls / 5),
        () => callMany(client, calls),
      )
    }
    const open = () => openSession(pool, path).then(session => session.end())
    await span(
      `${sessions} sessions`,
      () => many(sessions / 5, open),
      () => many(sessions, open),
    )
    return { spans, warnings: gateway.complaints().split('MaxListenersExceededWarning').length - 1 }
  } finally {
    await Promise.all([legacy.close(), modern.close(), pool.destroy()])
    await gateway.stop()
    await server.stop()
  }
}

/** @param {import('./http-client.mjs').Client} client @param {number} count */
function callMany(client, count) {
  const { params } = echoCall(TOOL, 100)
  return many(count, async () => void (await client.request('tools/call', params)))
}

/** @param {number} count @param {() => Promise<void>} work */
async function many(count, work) {
  let left = Math.round(count)
  const loop = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, loop))
}

/** @param {number} pid */
const countFiles = pid => readdirSync(`/proc/${pid}/fd`).length
