// `npm run test:conformance`: the official suite against our fixture, directly and through the gateway, and the gateway as a client.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { killAll } from '../bench/processes.mjs'
import { CELLS, CLIENT_REVISIONS } from './cells.mjs'
import { runClientLeg } from './client-leg.mjs'
import { findNewNode } from './node.mjs'
import { formatReport, isExcused, judge } from './report.mjs'
import { runServerScenario, runServerSuite } from './suite.mjs'
import { gatewayIsBuilt, startTarget } from './targets.mjs'

const NAMES = [...CELLS.map(cell => cell.name), ...CLIENT_REVISIONS.map(revision => `client/${revision}`)]
const USAGE = `usage: node test/conformance/run.mjs [--json] [--keep] [--only WORD]...\n  WORD is part of a cell's name: ${NAMES.join(' ')}`

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
  const node = findNewNode()
  const complaint =
    typeof options === 'string'
      ? options
      : node.kind === 'missing'
        ? node.hint
        : gatewayIsBuilt()
          ? undefined
          : 'Run `npm run build` first.'
  if (complaint !== undefined || typeof options === 'string' || node.kind === 'missing') {
    console.error(complaint)
    return 2
  }
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-conformance-'))
  const began = performance.now()
  try {
    const results = await runCells(options.chosen, node.path, dir)
    const verdict = judge(results)
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(options.json ? JSON.stringify({ ...verdict, seconds, results }, null, 2) : formatReport(results, verdict, seconds))
    if (verdict.failures.length > 0 || options.keep) console.error(`conformance: logs and results of each cell are in ${dir}`)
    else rmSync(dir, { recursive: true, force: true })
    return verdict.failures.length === 0 ? 0 : 1
  } finally {
    killAll()
  }
}

async function runCells(chosen, node, dir) {
  const results = []
  for (const cell of CELLS.filter(({ name }) => chosen(name))) {
    const place = join(dir, cell.name.replaceAll('/', '_'))
    results.push(await tell(cell, () => runCell(cell, node, place)))
  }
  for (const revision of CLIENT_REVISIONS.filter(revision => chosen(`client/${revision}`))) {
    const cell = { name: `client/${revision}`, suite: 'alpha', revision, gate: 'all', excused: {} }
    results.push(await tell(cell, () => runClientLeg(revision, node, join(dir, `client_${revision}`))))
  }
  return results
}

/** Progress on stderr, one line a cell; its scenarios that fail are named at once. */
async function tell(cell, work) {
  const began = performance.now()
  const findings = await work()
  const passed = findings.filter(finding => finding.passed).length
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.error(`conformance: ${cell.name}: ${passed} of ${findings.length} scenarios in ${seconds} s`)
  for (const { scenario, complaints } of findings.filter(finding => !finding.passed))
    console.error(`  ${scenario}: ${complaints[0].slice(0, 200)}`)
  return { cell, findings }
}

/** What fails is tried once more on its own: the suite has limits of some hundred milliseconds, and a machine may be busy. */
async function runCell({ way, mode, revision, suite, excused }, node, dir) {
  const target = await startTarget(way, mode, join(dir, 'gateway'))
  try {
    const about = { node, url: target.url, revision, suite }
    const findings = await runServerSuite({ ...about, dir })
    for (const [index, finding] of findings.entries()) {
      if (finding.required && !finding.passed && !isExcused(finding, excused))
        findings[index] = await runServerScenario({ ...about, finding, dir: join(dir, 'again') })
    }
    return findings
  } finally {
    await target.stop()
  }
}

/** @returns {{ json: boolean, keep: boolean, chosen: (name: string) => boolean } | string} what is wrong with the options */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: { json: { type: 'boolean' }, keep: { type: 'boolean' }, only: { type: 'string', multiple: true } },
    })
    const only = values.only ?? []
    if (only.some(word => !NAMES.some(name => name.includes(word)))) return USAGE
    return {
      json: values.json ?? false,
      keep: values.keep ?? false,
      chosen: name => only.length === 0 || only.some(word => name.includes(word)),
    }
  } catch {
    return USAGE
  }
}
