// The table of the results, and the verdict: what is required must pass, and what passes directly must pass through the gateway.

/**
 * @typedef {{ cell: Pick<import('./cells.mjs').Cell, 'name' | 'gate'> & { way?: string, revision: string, suite: string }, findings: import('./suite.mjs').Finding[] }} Result
 */

/** @param {Result[]} results */
export function judge(results) {
  const failures = results.flatMap(result =>
    result.findings
      .filter(finding => !finding.passed && isDemanded(finding, result, results))
      .map(finding => nameOf(result.cell, finding.scenario)),
  )
  return { failures }
}

function isDemanded({ scenario, required }, result, results) {
  if (required) return result.cell.gate !== 'none'
  return result.cell.gate === 'all' && passesDirectly(scenario, result, results)
}

function passesDirectly(scenario, { cell }, results) {
  if (cell.way === undefined || cell.way === 'direct') return false
  const direct = results.find(({ cell: other }) => other.way === 'direct' && other.revision === cell.revision && other.suite === cell.suite)
  return direct?.findings.some(finding => finding.scenario === scenario && finding.passed) ?? false
}

/**
 * @param {Result[]} results
 * @param {{ failures: string[] }} verdict
 * @param {number} seconds
 */
export function formatReport(results, { failures }, seconds) {
  const rows = results.map(({ cell, findings }) => [
    cell.name,
    count(findings.filter(finding => finding.required)),
    count(findings.filter(finding => !finding.required)),
    cell.gate,
  ])
  const missing = results.flatMap(({ cell, findings }) =>
    findings
      .filter(finding => !finding.passed)
      .map(
        ({ scenario, complaints }) =>
          `  ${failures.includes(nameOf(cell, scenario)) ? 'FAILED' : 'missed'} ${nameOf(cell, scenario)}: ${complaints[0]}`,
      ),
  )
  const closing =
    failures.length === 0
      ? `conformance: passed in ${seconds} s`
      : `conformance: FAILED in ${seconds} s: ${failures.length} scenarios that the gate depends on`
  return [formatTable([['cell', 'required', 'unscored', 'gate'], ...rows]), '', ...missing, closing].join('\n')
}

const nameOf = (cell, scenario) => `${cell.name} ${scenario}`
const count = findings => (findings.length === 0 ? '-' : `${findings.filter(finding => finding.passed).length}/${findings.length}`)

function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map(row => row[column].length)))
  const line = row => `| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`
  return [line(rows[0]), `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`, ...rows.slice(1).map(line)].join('\n')
}
