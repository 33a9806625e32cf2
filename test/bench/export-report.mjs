// The printed figures of continuous exports, and those to reach.
import { judge } from './figures.mjs'
import { formatTable } from './report.mjs'

const TO_FILE = 20_000
const TO_WEBHOOK = 2000

/** @param {import('./export.mjs').ExportResults} results */
export function formatExport({ records, exports }) {
  const rows = Object.entries(exports).map(([name, { perSecond, cpuSeconds }]) => [name, perSecond.toFixed(0), cpuSeconds.toFixed(4)])
  return `exports of a log of ${records.toLocaleString('en')} records\n${formatTable([['', 'records/s', 'CPU s/1000'], ...rows])}`
}

/** @param {import('./export.mjs').ExportResults} results */
export function judgeExport({ exports }) {
  const perSecond = (/** @type {string} */ name) => exports[name]?.perSecond ?? Number.NaN
  return [
    judge('export to a file', 'audit(os)', perSecond('file'), [TO_FILE], '>=', 'records/s'),
    judge('export to a webhook', 'audit(os)', perSecond('webhook'), [TO_WEBHOOK], '>=', 'records/s'),
  ]
}
