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

const PARTS = [
  ...TOPOLOGIES,
  'list',
  'start',
  'eras',
  'flat',
  'policy',
  'redact',
  'postgres',
  'verify',
  'usage',
  'export',
  'auth',
  'limits',
  'addresses',
  'cache',
]
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
  const lists = parts.includes('list') ? await benchLists(settings) : undefined
  const starts = parts.includes('start') ? await benchStarts(settings) : undefined
  const eras = parts.includes('eras') ? await benchEras(settings) : undefined
  const flat = parts.includes('flat') ? await benchFlat(settings) : undefined
  const policy = parts.includes('policy') ? await benchPolicy(settings) : undefined
  const verify = parts.includes('verify') ? await benchVerify(settings) : undefined
  const usage = parts.includes('usage') ? await benchUsage(settings) : undefined
  const exported = parts.includes('export') ? await benchExport(settings) : undefined
  const auth = parts.includes('auth') ? await benchAuth(settings) : undefined
  const addresses = parts.includes('addresses') ? await benchAddresses(settings) : undefined
  const cache = parts.includes('cache') ? await benchCache(settings) : undefined
  const limits = parts.includes('limits') ? await benchLimits(settings) : undefined
  const redact = parts.includes('redact') ? await benchRedact(settings) : undefined
  const postgres = parts.includes('postgres') ? await benchPostgres(settings) : undefined
  const disk = median(calls.length > 0 ? calls.flatMap(result => result.disk) : [measureDisk(settings.dir, 200)])
  const figures = [
    ...calls.flatMap(judgeCalls),
    ...(lists ? judgeLists(lists) : []),
    ...(starts ? judgeStarts(starts) : []),
    ...(eras ? judgeEras(eras) : []),
    ...(flat ? judgeFlat(flat) : []),
    ...(policy ? judgePolicy(policy) : []),
    ...(verify ? judgeVerify(verify) : []),
    ...(usage ? judgeUsage(usage) : []),
    ...(exported ? judgeExport(exported) : []),
    ...(auth ? judgeAuth(auth) : []),
    ...(limits ? judgeLimits(limits) : []),
    ...(addresses ? judgeAddresses(addresses) : []),
    ...(cache ? judgeCache(cache) : []),
    ...(redact ? judgeRedact(redact) : []),
    ...(postgres ? judgePostgres(postgres) : []),
  ]
  return {
    machine: describeMachine(),
    disk,
    calls,
    lists,
    starts,
    eras,
    flat,
    policy,
    redact,
    postgres,
    verify,
    usage,
    exported,
    auth,
    limits,
    addresses,
    cache,
    figures,
  }
}

/**
 * @param {Awaited<ReturnType<typeof measureAll>>} results
 * @param {Settings} settings
 */
function formatAll(
  {
    machine,
    disk,
    calls,
    lists,
    starts,
    eras,
    flat,
    policy,
    redact,
    postgres,
    verify,
    usage,
    exported,
    auth,
    limits,
    addresses,
    cache,
    figures,
  },
  settings,
) {
  const failed = [...calls.map(result => result.failed), lists?.failed, starts?.failed, eras?.failed, postgres?.failed].flatMap(each =>
    Object.entries(each ?? {}),
  )
  return [
    formatMachine(machine, disk, settings),
    ...calls.map(formatCalls),
    ...(lists ? [formatLists(lists)] : []),
    ...(starts ? [formatStarts(starts)] : []),
    ...(eras ? [formatEras(eras)] : []),
    ...(flat ? [formatFlat(flat)] : []),
    ...(policy ? [formatPolicy(policy)] : []),
    ...(verify ? [formatVerify(verify)] : []),
    ...(usage ? [formatUsage(usage)] : []),
    ...(exported ? [formatExport(exported)] : []),
    ...(auth ? [formatAuth(auth)] : []),
    ...(limits ? [formatLimits(limits)] : []),
    ...(addresses ? [formatAddresses(addresses)] : []),
    ...(cache ? [formatCache(cache)] : []),
    ...(redact ? [formatRedact(redact)] : []),
    ...(postgres ? [formatPostgres(postgres)] : []),
    ...(figures.length > 0 ? [formatFigures(figures)] : ['no gateway was measured: no figure is judged']),
    ...(failed.length > 0 ? [`not measured:\n${failed.map(([what, why]) => `  ${what}: ${why.split('\n', 1)[0]}`).join('\n')}`] : []),
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
