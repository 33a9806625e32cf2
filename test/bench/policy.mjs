// The policy language and its plugin: decisions, parsing, checking, `policy check` from the start of the process, and a reload under calls.
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BENCH_RULE, policyText } from './bundle.mjs'
import { CLI, PLUGIN_SETS, startGateway } from './gateway.mjs'
import { connectHttp } from './http-client.mjs'
import { checkAnswer, echoCall } from './messages.mjs'
import { startListening } from './processes.mjs'
import { median } from './statistics.mjs'
import { HTTP_SERVER, skipUnbuilt } from './targets.mjs'

const WORK = fileURLToPath(new URL('./policy-work.mjs', import.meta.url))
/** Some 200 calls a second: a gateway at work, not one at its limit, where each step waits for its turn. */
const LOOPS = 4
const PAUSE_MS = 18
const BETWEEN_RELOADS_MS = 300
const run = promisify(execFile)

/**
 * @typedef {object} PolicyResults all in ms
 * @property {{ p50: number, p99: number }} decide 1,000 rules, 500 tools
 * @property {{ first: number, median: number, broken: number }} parse 10,000 rules; `broken`: with a mistake in them
 * @property {{ first: number, median: number }} check 1,000 rules, 500 tools; `first`: in a new process
 * @property {number} command `mcpgw policy check` of one file, from the start of the process to its end
 * @property {number} bareNode a Node that does nothing
 * @property {number} reload from SIGHUP to the first call that is decided anew
 * @property {number} dropped calls that were not answered as they should be, over all reloads
 * @property {number} calls over all reloads
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<PolicyResults | undefined>}
 */
export async function benchPolicy(settings) {
  if (skipUnbuilt(['none']).length === 0) return undefined
  /** @param {string} what */
  const work = async what => {
    settings.progress(`policy: ${what}`)
    return JSON.parse((await run(process.execPath, [WORK, what])).stdout)
  }
  const [decide, parse, check] = [await work('decide'), await work('parse'), await work('check')]
  settings.progress('policy: the command')
  const dir = join(settings.dir, 'policy-check')
  mkdirSync(dir)
  writeFileSync(join(dir, 'one.policy'), policyText(0, 1, BENCH_RULE))
  const command = await timeProcess([CLI, 'policy', 'check', 'one.policy'], dir, settings.rounds)
  const bareNode = await timeProcess(['-e', '0'], dir, settings.rounds)
  return { decide, parse, check, command, bareNode, ...(await benchReload(settings)) }
}

/** @param {readonly string[]} args @param {string} cwd @param {number} rounds */
async function timeProcess(args, cwd, rounds) {
  const times = []
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now()
    await run(process.execPath, args, { cwd })
    if (round > 0) times.push(performance.now() - start)
  }
  return median(times)
}

/** Each reload forbids one text more: its first refusal is the first call that the new bundle decided. @param {import('./run.mjs').Settings} settings */
async function benchReload(settings) {
  const server = await startListening([HTTP_SERVER])
  const dir = join(settings.dir, 'reload')
  const about = {
    dir,
    upstream: { url: `http://127.0.0.1:${server.port}/mcp` },
    plugins: PLUGIN_SETS.policy,
    downstream: /** @type {const} */ ('http'),
  }
  const gateway = await startGateway(about)
  const client = await connectHttp(/** @type {{ url: string }} */ (gateway).url, LOOPS + 1)
  const state = { calls: 0, dropped: 0, over: false }
  const call = echoCall('bench__echo', 100)
  const loop = async () => {
    while (!state.over) {
      state.calls++
      const answer = await client.request('tools/call', call.params).catch(() => Buffer.alloc(0))
      try {
        checkAnswer(answer, call)
      } catch {
        state.dropped++
      }
      await sleep(PAUSE_MS)
    }
  }
  const loops = Array.from({ length: LOOPS }, loop)
  const times = []
  try {
    let more = BENCH_RULE
    for (let round = 0; round < settings.rounds; round++) {
      settings.progress(`policy: reload ${round + 1} of ${settings.rounds}`)
      await sleep(BETWEEN_RELOADS_MS)
      const word = `forbidden-${round}`
      more += `\ndeny ${word} {\n  call bench/*\n  when { args.text == "${word}" }\n}\n`
      writeFileSync(join(dir, 'bench.policy'), policyText(100, 50, more))
      const start = performance.now()
      gateway.child.kill('SIGHUP')
      const probe = `{"name":"bench__echo","arguments":{"text":"${word}"}}`
      while (!(await client.request('tools/call', probe)).includes('denied'))
        if (performance.now() - start > 10_000) throw new Error('no reload')
      times.push(performance.now() - start)
    }
  } finally {
    state.over = true
    await Promise.all(loops)
    await client.close()
    await gateway.stop()
    await server.stop()
  }
  return { reload: median(times), dropped: state.dropped, calls: state.calls }
}
