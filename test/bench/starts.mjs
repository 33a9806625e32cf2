// Beginnings: from the start of the process to its first answered call, and what it costs to open one more session.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PLUGIN_SETS, prepareGateway } from './gateway.mjs'
import { connectHttp, openPool, openSession } from './http-client.mjs'
import { timeEach } from './measure.mjs'
import { echoCall, verifyCall } from './messages.mjs'
import { countChildren, startNode } from './processes.mjs'
import { median, percentile } from './statistics.mjs'
import { connectStdio } from './stdio-client.mjs'
import { STDIO_SERVER, skipUnbuilt, startProcess, startUpstream, toolName } from './targets.mjs'

const RETRY_MS = 2
const GIVE_UP_MS = 15_000
const SESSIONS = 200

/**
 * @typedef {object} StartResults
 * @property {Record<string, number>} start `topology target` -> median ms from spawn to the first answered call
 * @property {Record<string, { p50: number, children: number }>} sessions `topology target` -> ms to open one, processes started by all of them
 * @property {number} bareNode median ms to start and end a Node that does nothing
 * @property {Record<string, string>} failed
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<StartResults>}
 */
export async function benchStarts(settings) {
  /** @type {StartResults} */
  const results = { start: {}, sessions: {}, bareNode: await timeBareNode(settings.rounds), failed: {} }
  const gateways = /** @type {const} */ (['none', 'policy', 'os', 'full'])
  for (const topology of /** @type {const} */ (['http-http', 'stdio-stdio'])) await benchStart(topology, gateways, settings, results)
  for (const topology of /** @type {const} */ (['http-http', 'http-stdio'])) {
    for (const name of skipUnbuilt(topology === 'http-http' ? ['direct', ...gateways] : gateways)) {
      const key = `${topology} ${name}`
      const opened = await attempt(results.failed, settings, `sessions ${key}`, () => benchSessions(topology, name, settings))
      results.sessions[key] = opened ?? { p50: Number.NaN, children: Number.NaN }
    }
  }
  return results
}

/**
 * @param {'http-http' | 'stdio-stdio'} topology
 * @param {readonly ('none' | 'policy' | 'os' | 'full')[]} names
 * @param {import('./run.mjs').Settings} settings
 * @param {StartResults} results
 */
async function benchStart(topology, names, settings, results) {
  const upstream = await startUpstream(topology)
  const reached =
    upstream.port === undefined ? { command: process.execPath, args: [STDIO_SERVER] } : { url: `http://127.0.0.1:${upstream.port}/mcp` }
  /** @type {Record<string, number[]>} */
  const taken = {}
  try {
    for (let round = 0; round < settings.rounds; round++) {
      settings.progress(`start ${topology}: round ${round + 1} of ${settings.rounds}`)
      for (const name of skipUnbuilt(names)) {
        if (name === 'direct' || name === 'raw') continue
        const downstream = topology === 'stdio-stdio' ? 'stdio' : 'http'
        const dir = join(settings.dir, `start-${topology}-${name}-${round}`)
        const prepared = await prepareGateway({ dir, upstream: reached, plugins: PLUGIN_SETS[name], downstream })
        const key = `${topology} ${name}`
        const ms = await attempt(results.failed, settings, `start ${key}`, () => timeStart(prepared, dir, downstream))
        taken[key] = [...(taken[key] ?? []), ms ?? Number.NaN]
      }
    }
  } finally {
    await upstream.stop()
  }
  for (const [key, times] of Object.entries(taken)) results.start[key] = median(times)
}

/**
 * @param {Awaited<ReturnType<typeof prepareGateway>>} prepared
 * @param {string} cwd
 * @param {'http' | 'stdio'} downstream
 */
async function timeStart({ args, url }, cwd, downstream) {
  const start = performance.now()
  const started = startNode(args, { cwd })
  try {
    const client = downstream === 'stdio' ? await connectStdio(started) : await connectWhenUp(started, url)
    await verifyCall(client, echoCall('bench__echo', 100))
    const taken = performance.now() - start
    await client.close()
    return taken
  } finally {
    await started.stop()
  }
}

/**
 * @param {import('./processes.mjs').Started} started
 * @param {string} url
 */
async function connectWhenUp(started, url) {
  for (const begun = performance.now(); ; ) {
    try {
      return await connectHttp(url, 1)
    } catch (error) {
      if (started.child.exitCode !== null || performance.now() - begun > GIVE_UP_MS)
        throw new Error(`${String(error)} ${started.complaints()}`)
      await sleep(RETRY_MS)
    }
  }
}

/**
 * @param {'http-http' | 'http-stdio'} topology
 * @param {import('./targets.mjs').TargetName} name
 * @param {import('./run.mjs').Settings} settings
 */
async function benchSessions(topology, name, settings) {
  settings.progress(`sessions ${topology} ${name}`)
  const upstream = await startUpstream(topology)
  const started = await startProcess(name, topology, upstream, join(settings.dir, 'sessions'))
  const { pool, path } = openPool(started.url ?? '', 1)
  try {
    const first = await openSession(pool, path)
    await first.request('tools/call', echoCall(toolName(name), 100).params)
    const before = countChildren(started.pid)
    const times = await timeEach(SESSIONS, () => openSession(pool, path))
    return { p50: percentile(times, 0.5), children: countChildren(started.pid) - before }
  } finally {
    await pool.destroy()
    await started.stop()
    await upstream.stop()
  }
}

/** @param {number} times */
async function timeBareNode(times) {
  const taken = await timeEach(times, () => new Promise(resolve => startNode(['-e', '0']).child.on('exit', resolve)))
  return median(taken)
}

/**
 * @template T
 * @param {Record<string, string>} failed
 * @param {import('./run.mjs').Settings} settings
 * @param {string} what
 * @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>} undefined: it failed, and `failed` says why
 */
async function attempt(failed, settings, what, action) {
  try {
    return await action()
  } catch (error) {
    failed[what] = String(error)
    settings.progress(`${what} is not measured: ${String(error)}`)
    return undefined
  }
}
