// `policy check`: everything that is wrong with policy files, in one run and five formats.
import { createRequire } from 'node:module'
import {
  type Checked,
  checkPolicies,
  countFindings,
  type Diagnostic,
  findDrift,
  findUnreached,
  isClean,
  type Lock,
  renderReport,
  reportFormats,
  sortDiagnostics,
} from 'mcpgw/policy'
import { choice, type Io, readInputs } from './inputs.ts'
import { readLive } from './live.ts'

export async function check(io: Io): Promise<number> {
  const format = choice(io, 'format', reportFormats, io.json ? 'json' : 'pretty')
  const failLevel = choice(io, 'failLevel', ['error', 'warning', 'hint'] as const, 'warning')
  if (format === undefined || failLevel === undefined) return 2
  const inputs = await readInputs(io)
  const live = io.options.live === true ? await readLive(io) : 'not asked'
  if (inputs === undefined || live === undefined) return 2
  const { sources, lock: locked, lockFindings, lockSource } = inputs
  const lock = live === 'not asked' ? locked : live.lock
  const checked = checkPolicies(sources, { ...(lock && { lock }), now: new Date(io.clock.now()) })
  const ofLocks = live === 'not asked' ? lockFindings : [...lockFindings, ...live.findings]
  const told = [...ofLocks, ...withoutNoLock(checked, ofLocks), ...(live === 'not asked' ? [] : liveOf(checked, locked, live.lock))]
  const texts = [...sources, ...(lockSource === undefined ? [] : [lockSource]), ...(live === 'not asked' ? [] : [live.source])]
  const report = { diagnostics: sortDiagnostics(told, texts), sources: texts, failLevel }
  if (format !== 'pretty') io.out(renderReport(format, report, format === 'sarif' ? { version: readVersion() } : {}))
  else {
    if (report.diagnostics.length > 0) io.out(`${renderReport(format, report, { color: io.color })}\n`)
    const against = live === 'not asked' ? '' : ` against ${count(Object.keys(live.lock?.servers ?? {}).length, 'running server')}`
    io.out(`${count(sources.length, 'file')} checked${against}: ${countFindings(report.diagnostics) || 'nothing found'}`)
  }
  return isClean(report) ? 0 : 1
}

/** A lock that cannot be read is not one that is missing. */
function withoutNoLock({ diagnostics }: Checked, ofLocks: readonly Diagnostic[]): readonly Diagnostic[] {
  return ofLocks.length === 0 ? diagnostics : diagnostics.filter(({ code }) => code !== 'no-lock')
}

/** Who did not answer; and what has come or changed since the lock, where there is one: it was what somebody approved. */
function liveOf({ files, policy }: Checked, locked: Lock | undefined, live: Lock | undefined): readonly Diagnostic[] {
  if (live === undefined) return []
  return [...findUnreached(files, live), ...(policy === undefined || locked === undefined ? [] : findDrift(policy, locked, live))]
}

function count(amount: number, thing: string): string {
  return `${amount} ${thing}${amount === 1 ? '' : 's'}`
}

function readVersion(): string {
  return (createRequire(import.meta.url)('mcpgw/package.json') as { version: string }).version
}
