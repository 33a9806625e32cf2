// `npm run bench`: starts everything, measures in interleaved rounds, prints ratios and the figures to reach.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchAddresses, formatAddresses, judgeAddresses } from './addresses.mjs'
import { benchAuth } from './auth.mjs'
import { formatAuth, judgeAuth } from './auth-report.mjs'
import { benchCache, formatCache, judgeCache } from './cache.mjs'
import { benchCalls } from './calls.mjs'
import { benchCluster, formatCluster } from './cluster.mjs'
import { benchEras } from './eras.mjs'
import { benchExport } from './export.mjs'
import { formatExport, judgeExport } from './export-report.mjs'
import { judgeCalls, judgeEras, judgeFlat, judgeLists, judgePolicy, judgePostgres, judgeStarts, judgeVerify } from './figures.mjs'
import { benchFlat } from './flat.mjs'
import { gatewayIsBuilt } from './gateway.mjs'
import { benchLimits } from './limits.mjs'
import { formatLimits, judgeLimits } from './limits-report.mjs'
import { benchLists } from './lists.mjs'
import { describeMachine, measureDisk } from './machine.mjs'
import { benchOverload, formatOverload, judgeOverload } from './overload.mjs'
import { benchPolicy } from './policy.mjs'
import { benchPostgres } from './postgres.mjs'
import { killAll } from './processes.mjs'
import { benchRedact } from './redact.mjs'
import { formatRedact, judgeRedact } from './redact-report.mjs'
import {
  formatCalls,
  formatEras,
  formatFigures,
  formatFlat,
  formatLists,
  formatMachine,
  formatPolicy,
  formatPostgres,
  formatStarts,
  formatVerify,
} from './report.mjs'
import { benchStarts } from './starts.mjs'
import { median } from './statistics.mjs'
import { TOPOLOGIES } from './targets.mjs'
import { benchUsage } from './usage.mjs'
import { formatUsage, judgeUsage } from './usage-report.mjs'
import { benchVerify } from './verify.mjs'

/**
 * Beside the calls, in the order of the report. What is not there to be measured gives undefined.
 * @type {Readonly<Record<string, { bench(settings: Settings): Promise<any>, format(results: any): string, judge(results: any): any[] }>>}
 */
const OTHERS = {
  list: { bench: benchLists, format: formatLists, judge: judgeLists },
  start: { bench: benchStarts, format: formatStarts, judge: judgeStarts },
  eras: { bench: benchEras, format: formatEras, judge: judgeEras },
  flat: { bench: benchFlat, format: formatFlat, judge: judgeFlat },
  overload: { bench: benchOverload, format: formatOverload, judge: judgeOverload },
  cluster: { bench: benchCluster, format: formatCluster, judge: () => [] },
  policy: { bench: benchPolicy, format: formatPolicy, judge: judgePolicy },
  verify: { bench: benchVerify, format: formatVerify, judge: judgeVerify },
  usage: { bench: benchUsage, format: formatUsage, judge: judgeUsage },
  export: { bench: benchExport, format: formatExport, judge: judgeExport },
  auth: { bench: benchAuth, format: formatAuth, judge: judgeAuth },
  limits: { bench: benchLimits, format: formatLimits, judge: judgeLimits },
  addresses: { bench: benchAddresses, format: formatAddresses, judge: judgeAddresses },
  cache: { bench: benchCache, format: formatCache, judge: judgeCache },
  redact: { bench: benchRedact, format: formatRedact, judge: judgeRedact },
  postgres: { bench: benchPostgres, format: formatPostgres, judge: judgePostgres },
}
const PARTS = [...TOPOLOGIES, ...Object.keys(OTHERS)]
const USAGE = `usage: node test/bench/run.mjs [--quick] [--json] [--rounds N] [--dir FOLDER] [--only ${PARTS.join('|')}]...`

/**
 * @typedef {object} Settings
 * @property {number} rounds that count, beside the one to warm up
 * @property {number} windowFactor scales the length of each measurement
 * @property {string} dir for config and data of the gateways, on the disk to be measured; removed at the end
 * @property {(text: string) => void} progress
 */

for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])) {
  process.on(signal, () => {
    killAll()
    process.exit(code)
  })
}
process.exitCode = await main()

async function main() {
  const options = readOptions()
  if (typeof options === 'string') {
    console.error(options)
    return 2
  }
  const settings = {
    rounds: options.rounds ?? (options.quick ? 3 : 9),
    windowFactor: options.quick ? 0.5 : 1,
    dir: mkdtempSync(join(options.dir ?? tmpdir(), 'mcpgw-bench-')),
    progress: (/** @type {string} */ text) => console.error(`bench: ${text}`),
  }
  if (!gatewayIsBuilt()) settings.progress('dist/core/cli.js is not there: only direct and raw are measured')
  try {
    const results = await measureAll(options.only ?? PARTS, settings)
    console.log(options.json ? JSON.stringify(results, null, 2) : formatAll(results, settings))
    return 0
  } finally {
    killAll()
    rmSync(settings.dir, { recursive: true, force: true })
  }
}

/**
 * @param {readonly string[]} parts
 * @param {Settings} settings
 */
async function measureAll(parts, settings) {
  const calls = []
  for (const topology of TOPOLOGIES) if (parts.includes(topology)) calls.push(await benchCalls(topology, settings))
  /** @type {Record<string, any>} */
  const others = {}
  for (const [part, { bench }] of Object.entries(OTHERS)) if (parts.includes(part)) others[part] = await bench(settings)
  const disk = median(calls.length > 0 ? calls.flatMap(result => result.disk) : [measureDisk(settings.dir, 200)])
  const figures = [...calls.flatMap(judgeCalls), ...measured(others).flatMap(([{ judge }, results]) => judge(results))]
  return { machine: describeMachine(), disk, calls, others, figures }
}

/** @param {Record<string, any>} others */
function measured(others) {
  return Object.entries(OTHERS).flatMap(([part, how]) => (others[part] === undefined ? [] : [/** @type {const} */ ([how, others[part]])]))
}

/**
 * @param {Awaited<ReturnType<typeof measureAll>>} results
 * @param {Settings} settings
 */
function formatAll({ machine, disk, calls, others, figures }, settings) {
  const failed = [...calls, ...Object.values(others)].flatMap(results => Object.entries(results?.failed ?? {}))
  return [
    formatMachine(machine, disk, settings),
    ...calls.map(formatCalls),
    ...measured(others).map(([{ format }, results]) => format(results)),
    ...(figures.length > 0 ? [formatFigures(figures)] : ['no figure to be judged: none is to be reached here, or no gateway is built']),
    ...(failed.length > 0
      ? [`not measured:\n${failed.map(([what, why]) => `  ${what}: ${String(why).split('\n', 1)[0]}`).join('\n')}`]
      : []),
  ].join('\n\n')
}

/** The options, or why they are none. */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        rounds: { type: 'string' },
        dir: { type: 'string' },
        only: { type: 'string', multiple: true },
      },
    })
    const unknown = values.only?.find(part => !PARTS.includes(part))
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
    if (unknown !== undefined) return `no such part: ${unknown}\n${USAGE}`
    if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) return `--rounds takes a whole number from 1\n${USAGE}`
    return { ...values, rounds }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`
  }
}
