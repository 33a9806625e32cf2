// Metering: what it adds to a call, and how long a report of 1,000,000 calls takes. The store is filled by the plugin's own code.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLI, gatewayIsBuilt } from './gateway.mjs'
import { measureCalls } from './measure.mjs'
import { echoCall, verifyCall } from './messages.mjs'
import { runRounds } from './rounds.mjs'
import { median } from './statistics.mjs'
import { startTarget, startUpstream } from './targets.mjs'

const EVENTS = { full: 1_000_000, quick: 100_000 }
const BATCH = 5000
const TENANTS = 20
const TOOLS = 50
const RUNS = 3
const SMALL = 100
const CALLS_MS = 400
const MONTH = { start: Date.UTC(2026, 10, 1), hours: 720 }

/**
 * @typedef {object} UsageResults
 * @property {number} events
 * @property {number} rows of the store
 * @property {number} report seconds, the whole command
 * @property {Record<string, Record<string, import('./measure.mjs').Sample[]>>} samples target -> step -> one a round
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<UsageResults | undefined>}
 */
export async function benchUsage(settings) {
  if (!gatewayIsBuilt()) return undefined
  const dir = join(settings.dir, 'usage')
  mkdirSync(dir)
  const events = settings.windowFactor < 1 ? EVENTS.quick : EVENTS.full
  settings.progress(`usage: ${events} calls are counted`)
  const rows = await fill(dir, events)
  settings.progress('usage: the command')
  const seconds = Array.from({ length: RUNS }, () => report(dir, events))
  return { events, rows, report: median(seconds), samples: await measureAdded(settings) }
}

/** Every call in the store goes to a random hour, caller and tool, so that nearly each one has a row of its own: the worst case. @param {string} dir @param {number} events */
async function fill(dir, events) {
  const from = (/** @type {string} */ file) => import(new URL(`../../dist/plugins/meter/${file}.js`, import.meta.url).href)
  const { createStores } = await import(new URL('../../dist/core/store/index.js', import.meta.url).href)
  const [{ sqliteUsage }, { tally }, { createPrices }] = await Promise.all([from('store/sqlite'), from('tally'), from('prices')])
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify({ plugins: [{ audit: { durability: 'os' } }, 'meter'] }))
  const store = sqliteUsage(createStores({ dataDir: join(dir, '.mcpgw') }), 'usage.db', 'write')
  const prices = createPrices({ prices: [], defaultPrice: 1 })
  const random = (/** @type {number} */ below) => Math.floor(Math.random() * below)
  for (let done = 0; done < events; done += BATCH) {
    const outcomes = Array.from({ length: BATCH }, (_, i) => ({
      seq: done + i + 1,
      callId: `c${done + i}`,
      at: MONTH.start + random(MONTH.hours) * 3_600_000,
      tenant: `tenant-${random(TENANTS)}`,
      subject: `subject-${random(100)}`,
      action: 'tools/call',
      server: 'crm',
      target: `tool-${random(TOOLS)}`,
      outcome: random(10) === 0 ? 'tool-error' : 'answered',
      requestBytes: 100,
      resultBytes: random(10_000),
      durationMs: random(500),
    }))
    const step = { stream: 'bench', after: done, through: done + BATCH, at: MONTH.start, rows: tally(outcomes, { window: 'hour', prices }) }
    if (!(await store.add(step))) throw new Error('a step was not counted')
  }
  const sums = await store.sum({
    span: 'window',
    from: MONTH.start,
    to: MONTH.start + MONTH.hours * 3_600_000,
    by: ['hour', 'tenant', 'subject', 'target'],
  })
  await store.close()
  return sums.length
}

/** Seconds. @param {string} dir @param {number} events */
function report(dir, events) {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, 'usage', '--by', 'tenant,tool', '--period', '2026-11', '--format', 'csv'],
    { cwd: dir, encoding: 'utf8' },
  )
  const seconds = (performance.now() - began) / 1000
  const calls = stdout
    .split('\r\n')
    .slice(1, -1)
    .reduce((sum, line) => sum + Number(line.split(',')[2]), 0)
  if (status !== 0 || calls !== events) throw new Error(`usage ended with ${status}, and ${calls} of ${events} calls: ${stderr}`)
  return seconds
}

/** Calls one after the other: the raw hop, the gateway with audit, and that with the meter. @param {import('./run.mjs').Settings} settings */
async function measureAdded(settings) {
  const upstream = await startUpstream('http-http')
  /** @type {import('./targets.mjs').Target[]} */
  const targets = []
  try {
    for (const name of /** @type {const} */ (['raw', 'os', 'meter'])) {
      const target = await startTarget(name, 'http-http', upstream, join(settings.dir, 'usage'))
      targets.push(target)
      await verifyCall(target.client, echoCall(target.tool, SMALL))
    }
    const run = (/** @type {import('./targets.mjs').Target} */ { client, tool }) =>
      measureCalls(client, echoCall(tool, SMALL), 1, CALLS_MS * settings.windowFactor)
    return await runRounds(targets, [{ name: 'at1', run }], settings.rounds, text => settings.progress(`usage: ${text}`))
  } finally {
    await Promise.all(targets.map(target => target.stop()))
    await upstream.stop()
  }
}
