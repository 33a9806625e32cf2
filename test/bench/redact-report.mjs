// What the redact part prints, and its figures.
import { judge } from './figures.mjs'
import { formatTable } from './report.mjs'

const CLEAN_MB = 80
const DENSE_MB = 20
const HOSTILE_MS = 5
const SHOWN = 12

/** @param {import('./redact.mjs').RedactResults} results */
export function formatRedact({ detectors, speeds, worst }) {
  const rows = Object.entries(speeds).map(([what, speed]) => [what, speed.toFixed(0)])
  const slowest = worst.slice(0, SHOWN).map(({ fragment, ms }) => [JSON.stringify(fragment), ms.toFixed(2), (100 / ms).toFixed(0)])
  return [
    `redact, ${detectors} kinds of values, MB/s of CPU time on one core\n${formatTable(rows)}`,
    `of ${worst.length} hostile texts, all detectors, the slowest\n${formatTable([['', 'ms per 100 KB', 'MB/s'], ...slowest])}`,
  ].join('\n\n')
}

/**
 * @param {import('./redact.mjs').RedactResults} results
 * @returns {import('./figures.mjs').Figure[]}
 */
export function judgeRedact({ speeds, worst }) {
  return [
    ...['look, clean text', 'search, clean text'].map(what => judge(what, 'redact', speeds[what] ?? Number.NaN, [CLEAN_MB], '>=', 'MB/s')),
    judge('mask, dense text', 'redact', speeds['mask, dense text'] ?? Number.NaN, [DENSE_MB], '>=', 'MB/s'),
    judge('worst of the hostile texts, 100 KB', 'redact', worst[0]?.ms ?? Number.NaN, [HOSTILE_MS], '<=', 'ms'),
  ]
}
