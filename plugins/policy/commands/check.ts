// `policy check`: everything that is wrong with policy files, in one run and five formats.
import { createRequire } from 'node:module'
import { checkPolicies, countFindings, isClean, renderReport, reportFormats, sortDiagnostics } from 'mcpgw/policy'
import { choice, type Io, readInputs } from './inputs.ts'

export async function check(io: Io): Promise<number> {
  const format = choice(io, 'format', reportFormats, io.json ? 'json' : 'pretty')
  const failLevel = choice(io, 'failLevel', ['error', 'warning', 'hint'] as const, 'warning')
  if (format === undefined || failLevel === undefined) return 2
  const inputs = await readInputs(io)
  if (inputs === undefined) return 2
  const { sources, lock, lockFindings, lockSource } = inputs
  const { diagnostics } = checkPolicies(sources, { ...(lock && { lock }), now: new Date(io.clock.now()) })
  const texts = [...sources, ...(lockSource === undefined ? [] : [lockSource])]
  // A lock that cannot be read is not one that is missing.
  const told = lockFindings.length === 0 ? diagnostics : [...lockFindings, ...diagnostics.filter(({ code }) => code !== 'no-lock')]
  const report = { diagnostics: sortDiagnostics(told, texts), sources: texts, failLevel }
  if (format !== 'pretty') io.out(renderReport(format, report, format === 'sarif' ? { version: readVersion() } : {}))
  else {
    if (report.diagnostics.length > 0) io.out(`${renderReport(format, report, { color: io.color })}\n`)
    io.out(`${sources.length} ${sources.length === 1 ? 'file' : 'files'} checked: ${countFindings(report.diagnostics) || 'nothing found'}`)
  }
  return isClean(report) ? 0 : 1
}

function readVersion(): string {
  return (createRequire(import.meta.url)('mcpgw/package.json') as { version: string }).version
}
