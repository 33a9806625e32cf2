// Shows by a trace of the system calls that nothing is sent on before its intent is durable, and nothing is answered before its outcome is.
// Alone: `node test/chaos/fsync-order.mjs [--calls 10000] [--durability full|os] [--postgres URL]`; needs a build and strace.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { CLI, gatewayIsBuilt } from '../bench/gateway.mjs'
import { connectHttp } from '../bench/http-client.mjs'
import { startListening } from '../bench/processes.mjs'
import { CALLS, readTrace, STRACE } from './trace.mjs'

export const hasStrace = () => spawnSync('strace', ['-V']).status === 0
const AT_ONCE = [1, 4, 16, 32]
const FIXTURE = new URL('../fixtures/upstream/http-server.mjs', import.meta.url).pathname

/**
 * @typedef {object} Settings
 * @property {number} calls half of them before a restart, half after
 * @property {'full' | 'os'} durability
 * @property {string} [postgres] URL of an empty database for the record
 * @property {'SIGTERM' | 'SIGKILL'} [end] of the first gateway
 */
/**
 * @typedef {object} Counts
 * @property {number} replies
 * @property {number} early replies before the outcome was durable
 * @property {number} upstream calls that were sent on
 * @property {number} unintended calls that were sent on before the intent was durable
 * @property {number} syncs fsyncs of the store
 * @property {number} unmatched calls without exactly one intent, outcome, request and reply
 */

/**
 * @param {Settings} settings
 * @returns {Promise<{ before: Counts, after: Counts }>}
 */
export async function measureOrder({ calls, durability, postgres, end = 'SIGKILL' }) {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-order-'))
  const upstream = await startListening([FIXTURE], { TOOLS: '1' })
  try {
    const config = {
      listen: '127.0.0.1:0',
      servers: [{ id: 'up', url: `http://127.0.0.1:${upstream.port}/mcp`, protocol: 'legacy' }],
      plugins: [{ audit: { durability } }],
      store: { dir: join(dir, 'data'), ...(postgres !== undefined && { url: postgres }) },
    }
    writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
    const half = Math.ceil(calls / 2)
    // Killed, so that the next one takes up the files as they are.
    await runTraced(dir, 'before', half, end)
    await runTraced(dir, 'after', half, 'SIGTERM')
    const records = readLog(dir)
    const store = postgres === undefined ? 'sqlite' : 'postgres'
    const count = async (/** @type {string} */ phase) => judge(await readTrace(join(dir, phase), store), records, phase, half)
    return { before: await count('before'), after: await count('after') }
  } finally {
    await upstream.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/**
 * @param {string} dir
 * @param {string} phase names the trace and the calls
 * @param {number} calls
 * @param {'SIGTERM' | 'SIGKILL'} end
 */
async function runTraced(dir, phase, calls, end) {
  const args = [...STRACE, '-e', `trace=${CALLS}`, '-o', join(dir, phase), process.execPath, CLI, 'run']
  const strace = spawn('strace', args, { cwd: dir, env: { PATH: process.env.PATH }, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(strace, 'close')
  let said = ''
  const origin = await new Promise((resolve, reject) => {
    strace.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      said += text
      const found = /^endpoint +(http:\S+)$/m.exec(said)?.[1]
      if (found !== undefined && said.includes('ready in')) resolve(found)
    })
    ended.then(() => reject(new Error(`the gateway ended: ${said}`)), reject)
  })
  const gateway = gatewayBelow(strace.pid ?? 0)
  try {
    await callAll(origin, phase, calls)
    process.kill(gateway, end)
    await ended
  } finally {
    // It would outlive strace.
    if (strace.exitCode === null && strace.signalCode === null) process.kill(gateway, 'SIGKILL')
  }
}

/** @param {string} origin @param {string} phase @param {number} calls */
async function callAll(origin, phase, calls) {
  const client = await connectHttp(origin, Math.max(...AT_ONCE))
  let next = 0
  for (let round = 0; next < calls; round++) {
    // Some alone, some together with as many as may share an fsync.
    const until = Math.min(calls, next + 64)
    const callOn = async () => {
      while (next < until) {
        const mark = `mark-${phase}-${next++}`
        const answer = await client.request('tools/call', JSON.stringify({ name: 'up__echo', arguments: { text: `${mark}.` } }))
        if (!answer.includes(`"text":"${mark}."`)) throw new Error(`${mark}: wrong answer: ${answer.toString().slice(0, 300)}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE[round % AT_ONCE.length] ?? 1 }, callOn))
  }
  await client.close()
}

/** @param {number} strace */
function gatewayBelow(strace) {
  const pid = Number(readFileSync(`/proc/${strace}/task/${strace}/children`, 'utf8').trim().split(' ')[0])
  if (!(pid > 0)) throw new Error('strace runs nothing')
  return pid
}

/**
 * @typedef {{ intents: string[], outcomes: string[] }} Places `STREAM:SEQ` of the records of a call
 * @param {string} dir
 * @returns {Map<string, Places>} by marker
 */
function readLog(dir) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [CLI, 'audit', 'log', '--intents', '--json', '--limit=10000000'], {
    cwd: dir,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (status !== 0) throw new Error(`audit log: ${stderr}`)
  /** @type {{ id: string, type: string, callId?: string, args?: { text?: string } }[]} */
  const records = JSON.parse(stdout).records
  /** @type {Map<string, Places>} */
  const byCall = new Map()
  /** @type {Map<string, Places>} */
  const byMarker = new Map()
  for (const { id, type, callId = '', args } of records) {
    const places = byCall.get(callId) ?? { intents: [], outcomes: [] }
    byCall.set(callId, places)
    if (type === 'intent') {
      places.intents.push(id)
      byMarker.set(String(args?.text).slice(0, -1), places)
    } else if (type === 'outcome') places.outcomes.push(id)
  }
  return byMarker
}

/**
 * @param {import('./trace.mjs').Trace} trace
 * @param {Map<string, Places>} records
 * @param {string} phase
 * @param {number} calls
 * @returns {Counts}
 */
function judge({ durable, upstream, replies, syncs }, records, phase, calls) {
  const counts = { replies: 0, early: 0, upstream: 0, unintended: 0, syncs, unmatched: 0 }
  const isAfter = (/** @type {number} */ place, /** @type {string | undefined} */ id) =>
    (durable.get(id ?? '') ?? Number.POSITIVE_INFINITY) < place
  for (let n = 0; n < calls; n++) {
    const marker = `mark-${phase}-${n}`
    const sent = upstream.get(marker)
    const replied = replies.get(marker)
    const { intents, outcomes } = records.get(marker) ?? { intents: [], outcomes: [] }
    if (sent === undefined || replied === undefined || intents.length !== 1 || outcomes.length !== 1) {
      counts.unmatched++
      continue
    }
    counts.replies++
    counts.upstream++
    if (!isAfter(replied, outcomes[0])) counts.early++
    if (!isAfter(sent, intents[0])) counts.unintended++
  }
  return counts
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main()

async function main() {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '2000' },
      durability: { type: 'string', default: 'full' },
      postgres: { type: 'string' },
    },
  })
  const { calls, durability, postgres } = values
  if (!/^[1-9]\d*$/.test(calls) || (durability !== 'full' && durability !== 'os')) {
    process.stderr.write('usage: node test/chaos/fsync-order.mjs [--calls N] [--durability full|os] [--postgres URL]\n')
    return 2
  }
  if (!gatewayIsBuilt() || !hasStrace()) {
    process.stderr.write('needs `npm run build`, and strace\n')
    return 3
  }
  let bad = 0
  for (const [phase, counts] of Object.entries(await measureOrder({ calls: Number(calls), durability, postgres }))) {
    const { replies, early, upstream, unintended, syncs, unmatched } = counts
    bad += early + unintended + unmatched
    process.stdout.write(
      `${phase} the restart: ${replies} replies, ${early} of them before a durable outcome; ${upstream} calls sent on, ${unintended} of them before a durable intent; ${syncs} fsyncs; ${unmatched} calls that cannot be followed\n`,
    )
  }
  return bad === 0 ? 0 : 1
}
