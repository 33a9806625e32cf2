// Tool calls through one pair of transports: latency with small and large payloads, throughput, CPU, memory.
import { measureDisk } from './machine.mjs'
import { measureCalls, warmUp } from './measure.mjs'
import { echoCall, sizedCall, verifyCall } from './messages.mjs'
import { readCpuSeconds, readRss } from './processes.mjs'
import { runRounds } from './rounds.mjs'
import { skipUnbuilt, startTarget, startUpstream } from './targets.mjs'

const SMALL = 100
const LARGE = 100_000
const DISK_PROBES_A_ROUND = 40
const TARGETS = /** @type {const} */ (['direct', 'raw', 'none', 'policy', 'os', 'full'])
/** What each step does; `ms` is its window at the usual length. */
const STEPS = /** @type {const} */ ([
  { name: 'at1', make: echoCall, length: SMALL, concurrent: 1, ms: 400 },
  { name: 'echo100k', make: echoCall, length: LARGE, concurrent: 1, ms: 300 },
  { name: 'read100k', make: sizedCall, length: LARGE, concurrent: 1, ms: 300 },
  { name: 'at16', make: echoCall, length: SMALL, concurrent: 16, ms: 400 },
  { name: 'at64', make: echoCall, length: SMALL, concurrent: 64, ms: 700 },
  { name: 'at256', make: echoCall, length: SMALL, concurrent: 256, ms: 500 },
])

/**
 * @typedef {import('./measure.mjs').Sample & { cpuSeconds: number }} CallSample
 * @typedef {object} CallResults
 * @property {import('./targets.mjs').Topology} topology
 * @property {Record<string, Record<string, CallSample[]>>} samples target -> step -> one a round
 * @property {Record<string, number>} rss target -> MiB after all of the load
 * @property {number[]} disk fdatasync p50 of each round, ms
 * @property {Record<string, string>} failed target -> why it was not measured
 */

/**
 * @param {import('./targets.mjs').Topology} topology
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<CallResults>}
 */
export async function benchCalls(topology, settings) {
  const upstream = await startUpstream(topology)
  /** @type {import('./targets.mjs').Target[]} */
  const targets = []
  /** @type {Record<string, string>} */
  const failed = {}
  try {
    for (const name of skipUnbuilt(topology === 'http-http' ? [...TARGETS, 'all', 'all-full'] : TARGETS)) {
      try {
        const target = await startTarget(name, topology, upstream, settings.dir)
        targets.push(target)
        for (const { make, length } of STEPS) await verifyCall(target.client, make(target.tool, length))
      } catch (error) {
        failed[name] = String(error)
        settings.progress(`${topology}: ${name} is not measured: ${String(error)}`)
      }
    }
    const measured = targets.filter(target => failed[target.name] === undefined)
    for (const { name, client, tool } of measured) {
      settings.progress(`${topology}: ${name}: many calls first`)
      await warmUp(client, echoCall(tool, SMALL), settings.windowFactor)
    }
    /** @type {number[]} */
    const disk = []
    const steps = STEPS.map(step => ({ name: step.name, run: sampleWith(step, settings) }))
    const samples = await runRounds(measured, steps, settings.rounds, text => {
      settings.progress(`${topology}: ${text}`)
      disk.push(measureDisk(settings.dir, DISK_PROBES_A_ROUND))
    })
    const rss = Object.fromEntries(measured.map(({ name, pid }) => [name, readRss(pid)]))
    return { topology, samples, rss, disk, failed }
  } finally {
    await Promise.all(targets.map(target => target.stop()))
    await upstream.stop()
  }
}

/**
 * @param {(typeof STEPS)[number]} step
 * @param {import('./run.mjs').Settings} settings
 */
function sampleWith({ make, length, concurrent, ms }, settings) {
  /** @param {import('./targets.mjs').Target} target @returns {Promise<CallSample>} */
  return async ({ client, tool, pid }) => {
    const call = make(tool, length)
    const before = readCpuSeconds(pid)
    const sample = await measureCalls(client, call, concurrent, ms * settings.windowFactor)
    return { ...sample, cpuSeconds: readCpuSeconds(pid) - before }
  }
}
