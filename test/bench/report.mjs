// The printed report: what was measured, as ratios to the raw hop of the same run, then the figures to reach with a mark each.
import { median, medianRatio } from './statistics.mjs'

const TARGET_LABELS = {
  direct: 'direct',
  raw: 'raw hop',
  none: 'gateway, no plugin',
  policy: '100 rules',
  os: '100 rules+audit(os)+redact',
  meter: 'the same with meter',
  full: '100 rules+audit(full)+redact',
  all: 'all plugins, audit(os)',
  'all-full': 'all plugins, audit(full)',
  postgres: 'the same in PostgreSQL',
}
const LEVELS = /** @type {const} */ (['at1', 'at16', 'at64', 'at256'])

/** @typedef {import('./calls.mjs').CallSample} CallSample */

/**
 * @param {ReturnType<typeof import('./machine.mjs').describeMachine>} machine
 * @param {number} disk ms
 * @param {import('./run.mjs').Settings} settings
 */
export function formatMachine({ cores, cpu, memoryGiB, kernel, node }, disk, { rounds, dir }) {
  return [
    `machine  ${cores} cores, ${cpu}, ${memoryGiB} GiB, ${kernel}, Node ${node}`,
    `disk     fdatasync of 4 KiB p50 ${disk.toFixed(3)} ms in ${dir}`,
    `method   medians over ${rounds} interleaved rounds; in brackets: x raw of the same round (for calls/s: share of raw)`,
  ].join('\n')
}

/** @param {import('./calls.mjs').CallResults} results */
export function formatCalls({ topology, samples, rss }) {
  const header = ['', 'p50 100 B', 'p99 100 B', 'p50 100 KB echoed', 'p99', 'p50 100 KB read', 'p99', 'CPU s/1000 at 64', 'RSS MiB']
  const raw = samples.raw ?? {}
  /** @param {CallSample[] | undefined} rounds @param {CallSample[] | undefined} reference @param {(sample: CallSample) => number} pick @param {number} digits */
  const cell = (rounds = [], reference = [], pick, digits) => {
    const ratio = medianRatio(rounds.map(pick), reference.map(pick))
    return `${median(rounds.map(pick)).toFixed(digits)}${Number.isFinite(ratio) ? ` (${ratio.toFixed(2)})` : ''}`
  }
  const cpuPer1000 = (/** @type {CallSample} */ sample) => (1000 * sample.cpuSeconds) / sample.calls
  const rows = Object.entries(samples).map(([target, steps]) => [
    labelOf(target),
    cell(steps.at1, raw.at1, sample => sample.p50, 3),
    cell(steps.at1, raw.at1, sample => sample.p99, 3),
    cell(steps.echo100k, raw.echo100k, sample => sample.p50, 2),
    cell(steps.echo100k, raw.echo100k, sample => sample.p99, 2),
    cell(steps.read100k, raw.read100k, sample => sample.p50, 2),
    cell(steps.read100k, raw.read100k, sample => sample.p99, 2),
    cell(steps.at64, raw.at64, cpuPer1000, 3),
    (rss[target] ?? Number.NaN).toFixed(0),
  ])
  const loadHeader = ['', ...LEVELS.flatMap(level => [`calls/s ${level.replace('at', 'at ')}`, 'p99'])]
  const loadRows = Object.entries(samples).map(([target, steps]) => [
    labelOf(target),
    ...LEVELS.flatMap(level => [
      cell(steps[level], raw[level], sample => sample.perSecond, 0),
      cell(steps[level], raw[level], sample => sample.p99, 2),
    ]),
  ])
  return `${topology.replace('-', ' -> ')} (ms)\n${formatTable([header, ...rows])}\n\n${formatTable([loadHeader, ...loadRows])}`
}

/** @param {import('./lists.mjs').ListResults} results */
export function formatLists({ p50 }) {
  const targets = Object.keys(Object.values(p50)[0] ?? {})
  const rows = Object.entries(p50).map(([count, times]) => [
    `${count} tools`,
    ...targets.map(
      target => `${median(times[target] ?? []).toFixed(3)} (${medianRatio(times[target] ?? [], times.direct ?? []).toFixed(2)})`,
    ),
  ])
  return `tools/list, HTTP -> HTTP, p50 ms (x direct)\n${formatTable([['', ...targets.map(labelOf)], ...rows])}`
}

/** @param {import('./starts.mjs').StartResults} results */
export function formatStarts({ start, sessions, bareNode }) {
  const starts = Object.entries(start).map(([key, ms]) => [key, ms.toFixed(0)])
  const opened = Object.entries(sessions).map(([key, { p50, children }]) => [key, p50.toFixed(3), String(children)])
  return [
    ...(starts.length > 0 ? [`start to first call, ms (a Node that does nothing: ${bareNode.toFixed(0)})\n${formatTable(starts)}`] : []),
    `one more session, p50 ms, and processes started by 200 of them\n${formatTable(opened)}`,
  ].join('\n\n')
}

/** @param {import('./eras.mjs').EraResults} results */
export function formatEras({ samples }) {
  return Object.entries(samples)
    .map(([way, cells]) => {
      const rows = Object.entries(cells).map(([cell, steps]) => {
        const client = cell.split('-', 1)[0] ?? ''
        const same = cells[`${client}-${client}`] ?? {}
        /** @param {string} step @param {(sample: CallSample) => number} pick @param {number} digits */
        const show = (step, pick, digits) => {
          const rounds = (steps[step] ?? []).map(pick)
          return `${median(rounds).toFixed(digits)} (${medianRatio(rounds, (same[step] ?? []).map(pick)).toFixed(2)})`
        }
        return [
          cell.replace('-', ' -> '),
          show('at1', sample => sample.p50, 3),
          show('echo100k', sample => sample.p50, 2),
          show('at64', sample => sample.perSecond, 0),
          show('at64', sample => (1000 * sample.cpuSeconds) / sample.calls, 3),
        ]
      })
      const header = ['client -> server', 'p50 100 B', 'p50 100 KB echoed', 'calls/s at 64', 'CPU s/1000 at 64']
      return `eras, ${way} upstream, ms (x the path within the client's era)\n${formatTable([header, ...rows])}`
    })
    .join('\n\n')
}

/** @param {import('./flat.mjs').FlatResults} results */
export function formatFlat({ spans }) {
  const rows = spans.map(({ name, rssBefore, rssAfter, filesBefore, filesAfter }) => [
    name,
    `${rssBefore.toFixed(0)} -> ${rssAfter.toFixed(0)}`,
    `${filesBefore} -> ${filesAfter}`,
  ])
  return `over time, no plugin\n${formatTable([['', 'RSS MiB', 'open files'], ...rows])}`
}

/** @param {import('./policy.mjs').PolicyResults} results */
export function formatPolicy({ decide, parse, check, command, bareNode, reload, dropped, calls }) {
  const ms = (/** @type {number} */ value) => value.toFixed(0)
  return `policy\n${formatTable([
    ['ms', 'first in a process', 'median'],
    ['a decision of 1,000 rules, 500 tools: p50, p99 in µs', '', `${(1000 * decide.p50).toFixed(2)}, ${(1000 * decide.p99).toFixed(2)}`],
    ['parse 10,000 rules', ms(parse.first), ms(parse.median)],
    ['parse 10,000 rules, a mistake in them', '', ms(parse.broken)],
    ['check 1,000 rules against 500 tools', ms(check.first), ms(check.median)],
    [`mcpgw policy check of one file (a bare Node: ${ms(bareNode)})`, '', ms(command)],
    [`reload; ${dropped} of ${calls} calls dropped`, '', ms(reload)],
  ])}`
}

/** @param {import('./postgres.mjs').PostgresResults} results */
export function formatPostgres({ samples, server }) {
  const p50 = (/** @type {string} */ target) => median((samples[target]?.at1 ?? []).map(sample => sample.p50))
  const rows = Object.entries(samples).map(([target, { at64 = [] }]) => [
    labelOf(target),
    p50(target).toFixed(3),
    (p50(target) - p50('raw')).toFixed(3),
    median(at64.map(sample => sample.perSecond)).toFixed(0),
    median(at64.map(sample => sample.p99)).toFixed(2),
  ])
  return `${server} (ms)\n${formatTable([['', 'p50 100 B', 'added to raw', 'calls/s at 64', 'p99 at 64'], ...rows])}`
}

/** @param {import('./verify.mjs').VerifyResults} results */
export function formatVerify({ records, perSecond, peak }) {
  return `audit verify\n${formatTable([
    ['records', 'records/s', 'peak MiB'],
    [records.toLocaleString('en'), perSecond.toFixed(0), peak.toFixed(0)],
  ])}`
}

/** @param {readonly import('./figures.mjs').Figure[]} figures */
export function formatFigures(figures) {
  const rows = figures.map(({ label, target, got, must, stretch, sense, unit, mark }) => [
    label,
    labelOf(target),
    Number.isNaN(got) ? 'not measured' : `${shorten(got)} ${unit}`,
    `${sense} ${shorten(must)}`,
    stretch === undefined ? '' : `${sense} ${shorten(stretch)}`,
    mark === 'stretch' ? 'ok, stretch' : mark,
  ])
  const missed = figures.filter(figure => figure.mark === 'miss').length
  return `${formatTable([['figure', 'target', 'got', 'must', 'stretch', 'mark'], ...rows])}\n${figures.length - missed} of ${figures.length} figures reached`
}

/** @param {number} value */
const shorten = value => (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0))

/** @param {string} target */
const labelOf = target => TARGET_LABELS[/** @type {keyof typeof TARGET_LABELS} */ (target)] ?? target

/** @param {readonly (readonly string[])[]} rows the first column to the left, the others to the right */
export function formatTable(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const line = (/** @type {readonly string[]} */ row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}
