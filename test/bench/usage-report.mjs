// The printed figures of metering, and those to reach.
import { judge } from './figures.mjs'
import { median } from './statistics.mjs'

const ADDED = 0.05
const REPORT_SECONDS = 2

/** What the meter adds to p50, in raw hops of the same round. @param {import('./usage.mjs').UsageResults} results */
function addedOf({ samples }) {
  const p50 = (/** @type {string} */ target) => (samples[target]?.at1 ?? []).map(sample => sample.p50)
  const [raw, os] = [p50('raw'), p50('os')]
  return median(p50('meter').map((ms, round) => (ms - (os[round] ?? Number.NaN)) / (raw[round] ?? Number.NaN)))
}

/** @param {import('./usage.mjs').UsageResults} results */
export function formatUsage(results) {
  const { events, rows, report } = results
  return [
    `usage of ${events.toLocaleString('en')} calls in ${rows.toLocaleString('en')} rows, by tenant and tool: ${report.toFixed(2)} s, the start of the command included`,
    `the meter adds to p50: ${addedOf(results).toFixed(3)} x raw`,
  ].join('\n')
}

/** @param {import('./usage.mjs').UsageResults} results */
export function judgeUsage(results) {
  return [
    judge('the meter added to p50', 'meter', addedOf(results), [ADDED], '<=', 'x raw'),
    judge(`usage of ${results.events.toLocaleString('en')} calls`, 'meter', results.report, [REPORT_SECONDS], '<=', 's'),
  ]
}
