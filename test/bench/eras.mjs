// The four cells of client and server era: what a bridge between them costs against the path within the client's era.
import { join } from 'node:path'
import { startGateway } from './gateway.mjs'
import { connectHttp, connectStateless } from './http-client.mjs'
import { measureCalls } from './measure.mjs'
import { echoCall, verifyCall } from './messages.mjs'
import { readCpuSeconds, startListening } from './processes.mjs'
import { runRounds } from './rounds.mjs'
import { HTTP_SERVER, STDIO_SERVER, skipUnbuilt } from './targets.mjs'

const TOOL = 'bench__echo'
const CONNECTIONS = 64
const STEPS = /** @type {const} */ ([
  { name: 'at1', length: 100, concurrent: 1, ms: 500 },
  { name: 'echo100k', length: 100_000, concurrent: 1, ms: 400 },
  { name: 'at64', length: 100, concurrent: 64, ms: 800 },
])
/** Client era, then server era. */
export const CELLS = /** @type {const} */ (['legacy-legacy', 'legacy-modern', 'modern-legacy', 'modern-modern'])

/**
 * @typedef {'http' | 'stdio'} Way
 * @typedef {object} EraResults
 * @property {Record<string, Record<string, Record<string, import('./calls.mjs').CallSample[]>>>} samples upstream way -> cell -> step -> one a round
 * @property {Record<string, string>} failed `way cell` -> why it was not measured
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<EraResults>}
 */
export async function benchEras(settings) {
  /** @type {EraResults} */
  const results = { samples: {}, failed: {} }
  if (skipUnbuilt(['none']).length === 0) return results
  for (const way of /** @type {const} */ (['http', 'stdio'])) results.samples[way] = await benchWay(way, settings, results.failed)
  return results
}

/**
 * @param {Way} way
 * @param {import('./run.mjs').Settings} settings
 * @param {Record<string, string>} failed
 */
async function benchWay(way, settings, failed) {
  /** @type {{ name: string, pid: number, client: import('./http-client.mjs').Client, stop: () => Promise<void> }[]} */
  const targets = []
  try {
    for (const cell of CELLS) {
      try {
        targets.push(await startCell(way, cell, settings.dir))
      } catch (error) {
        failed[`${way} ${cell}`] = String(error)
        settings.progress(`eras ${way}: ${cell} is not measured: ${String(error)}`)
      }
    }
    const steps = STEPS.map(({ name, length, concurrent, ms }) => ({
      name,
      /** @param {(typeof targets)[number]} target */
      run: async ({ client, pid }) => {
        const before = readCpuSeconds(pid)
        const sample = await measureCalls(client, echoCall(TOOL, length), concurrent, ms * settings.windowFactor)
        return { ...sample, cpuSeconds: readCpuSeconds(pid) - before }
      },
    }))
    return await runRounds(targets, steps, settings.rounds, text => settings.progress(`eras ${way}: ${text}`))
  } finally {
    await Promise.all(targets.map(target => target.stop()))
  }
}

/**
 * @param {Way} way
 * @param {(typeof CELLS)[number]} cell
 * @param {string} dir
 */
async function startCell(way, cell, dir) {
  const [client, era = ''] = cell.split('-')
  const server = way === 'http' ? await startListening([HTTP_SERVER], { ERA: era }) : undefined
  const upstream =
    server === undefined
      ? { command: process.execPath, args: [STDIO_SERVER], env: { ERA: era } }
      : { url: `http://127.0.0.1:${server.port}/mcp` }
  const gateway = await startGateway({ dir: join(dir, `eras-${way}-${cell}`), upstream, plugins: [], downstream: 'http' })
  const url = /** @type {{ url: string }} */ (gateway).url
  const stopAll = () => Promise.all([gateway.stop(), server?.stop()])
  try {
    const connected = client === 'modern' ? connectStateless(url, CONNECTIONS) : await connectHttp(url, CONNECTIONS)
    await verifyCall(connected, echoCall(TOOL, 100))
    return {
      name: cell,
      pid: gateway.pid,
      client: connected,
      stop: () =>
        connected
          .close()
          .then(stopAll)
          .then(() => {}),
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}
