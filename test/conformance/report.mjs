// The table of the results, and the verdict: what is required must pass, and what passes directly must pass through the gateway.

/**
 * @typedef {object} Result
 * @property {Pick<import('./cells.mjs').Cell, 'name' | 'gate' | 'excused' | 'revision' | 'suite'> & { way?: string }} cell
 * @property {import('./suite.mjs').Finding[]} findings
 */

/** @param {Result[]} results */
export function judge(results) {
  const failures = results.flatMap(({ cell, findings }) =>
    findings
      .filter(finding => isFailure(finding, cell, directly(finding.scenario, cell, results)))
      .map(finding => nameOf(cell, finding.scenario)),
  )
  return { failures }
}

function isFailure(finding, { gate, excused }, direct) {
  const { required, passed, warnings } = finding
  if (required && !passed) return !isExcused(finding, excused)
  if (gate !== 'all' || direct === undefined || !direct.passed) return false
  return !passed || warnings.some(id => !direct.warnings.includes(id))
}

/** @param {import('./suite.mjs').Finding} finding @param {Readonly<Record<string, string>>} excused */
export function isExcused({ failed }, excused) {
  return failed.length > 0 && failed.every(id => Object.hasOwn(excused, id))
}

function directly(scenario, cell, results) {
  if (cell.way === undefined || cell.way === 'direct') return undefined
  const direct = results.find(({ cell: other }) => other.way === 'direct' && other.revision === cell.revision && other.suite === cell.suite)
  return direct?.findings.find(finding => finding.scenario === scenario)
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
  const missing = results.flatMap(({ cell, findings }) => tellMissing(cell, findings, failures))
  const closing =
    failures.length === 0
      ? `conformance: passed in ${seconds} s`
      : `conformance: FAILED in ${seconds} s: ${failures.length} scenarios that the gate depends on`
  return [formatTable([['cell', 'required', 'unscored', 'gate'], ...rows]), '', ...missing, closing].join('\n')
}

function tellMissing(cell, findings, failures) {
  const said = []
  const others = []
  for (const finding of findings.filter(({ passed, warnings }) => !passed || warnings.length > 0)) {
    const name = nameOf(cell, finding.scenario)
    if (failures.includes(name)) said.push(`  FAILED ${name}: ${finding.complaints[0]}`)
    else if (!finding.passed && isExcused(finding, cell.excused)) said.push(`  excused ${name}: ${cell.excused[finding.failed[0]]}`)
    else others.push(finding.passed ? `${finding.scenario} (a warning)` : finding.scenario)
  }
  return others.length === 0 ? said : [...said, `  not demanded ${cell.name}: ${others.join(', ')}`]
}

const nameOf = (cell, scenario) => `${cell.name} ${scenario}`
const count = findings => (findings.length === 0 ? '-' : `${findings.filter(finding => finding.passed).length}/${findings.length}`)

function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map(row => row[column].length)))
  const line = row => `| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`
  return [line(rows[0]), `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`, ...rows.slice(1).map(line)].join('\n')
}
