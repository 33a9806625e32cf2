// Runs the official suite against one target and reads what it found from the files it leaves.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const inModules = path => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url))
const SUITE = inModules('@modelcontextprotocol/conformance')
const STABLE = inModules('conformance-stable')
const STABLE_PENDING = ['json-schema-2020-12', 'server-sse-polling']

/**
 * @typedef {object} Finding
 * @property {string} scenario
 * @property {boolean} required
 * @property {boolean} passed
 * @property {string[]} failed ids of checks
 * @property {string[]} warnings ids of checks that hold only in part
 * @property {string[]} complaints failed checks and warnings, in words
 */

/**
 * What a revision demands, from the suite's own frozen lists.
 * @param {string} revision
 * @param {'server' | 'client'} leg
 * @returns {{ scenario: string, required: boolean }[]}
 */
export function readScenarios(revision, leg) {
  const lists = parse(readFileSync(join(SUITE, 'requirements', `${revision}.yaml`), 'utf8'))
  const unscored = lists.not_scored.filter(entry => entry.leg === leg).map(entry => entry.scenario)
  return [...lists[leg].map(scenario => ({ scenario, required: true })), ...unscored.map(scenario => ({ scenario, required: false }))]
}

/**
 * @param {object} about
 * @param {string} about.node
 * @param {string} about.url
 * @param {string} about.revision
 * @param {'alpha' | 'stable'} about.suite
 * @param {string} about.dir for its results and its log
 * @returns {Promise<Finding[]>}
 */
export async function runServerSuite({ node, url, revision, suite, dir }) {
  const selection = suite === 'alpha' ? ['--requirements', revision] : ['--suite', 'all', '--spec-version', revision]
  await run(node, [bin(suite), 'server', '--url', url, ...selection, '-o', dir], dir)
  const scenarios = suite === 'alpha' ? readScenarios(revision, 'server') : readStableScenarios(dir)
  return scenarios.map(entry => ({ ...entry, ...readFinding(dir, `server-${entry.scenario}`) }))
}

/**
 * One scenario again, on its own.
 * @param {Parameters<typeof runServerSuite>[0] & { finding: Finding }} about
 * @returns {Promise<Finding>}
 */
export async function runServerScenario({ node, url, revision, suite, dir, finding }) {
  const { scenario, required } = finding
  await run(node, [bin(suite), 'server', '--url', url, '--scenario', scenario, '--spec-version', revision, '-o', dir], dir)
  return { scenario, required, ...readFinding(dir, `server-${scenario}`) }
}

/**
 * One scenario of the client leg: the command is given the suite's server as its last argument.
 * @param {{ node: string, command: string, scenario: string, required: boolean, revision: string, dir: string }} about
 * @returns {Promise<Finding>}
 */
export async function runClientScenario({ node, command, scenario, required, revision, dir }) {
  const args = [bin('alpha'), 'client', '--command', command, '--scenario', scenario, '--spec-version', revision, '-o', dir]
  const code = await run(node, args, dir)
  const finding = readFinding(dir, scenario)
  const complaints = code === 0 || finding.complaints.length > 0 ? finding.complaints : ['the client ended with an error, see the log']
  return { scenario, required, ...finding, passed: finding.passed && code === 0, complaints }
}

const bin = suite => join(suite === 'alpha' ? SUITE : STABLE, 'dist/index.js')

/** 0.1.16 has no lists of requirements: all that its suite of the revision holds, less what it calls pending. */
function readStableScenarios(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(entry.name)?.[1])
    .filter(scenario => scenario !== undefined)
    .map(scenario => ({ scenario, required: !STABLE_PENDING.includes(scenario) }))
}

async function run(node, args, dir) {
  mkdirSync(dir, { recursive: true })
  const log = createWriteStream(join(dir, 'suite.log'))
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const [code] = await once(child, 'close')
  log.end()
  return code
}

/** A scenario passes as the suite counts: no check of it fails. */
function readFinding(dir, prefix) {
  const folder = readdirSync(dir).find(name => name.startsWith(prefix) && /^-\d{4}-\d\d-\d\dT/.test(name.slice(prefix.length)))
  const file = folder === undefined ? undefined : join(dir, folder, 'checks.json')
  if (file === undefined || !existsSync(file))
    return { passed: false, failed: [], warnings: [], complaints: ['it left no result, see the log'] }
  const checks = JSON.parse(readFileSync(file, 'utf8'))
  const failed = checks.filter(check => check.status === 'FAILURE')
  const warned = checks.filter(check => check.status === 'WARNING')
  return {
    passed: failed.length === 0 && checks.length > 0,
    failed: failed.map(check => check.id),
    warnings: warned.map(check => check.id),
    complaints: [...failed, ...warned].map(check => `${check.id}: ${check.errorMessage ?? check.description}`),
  }
}
