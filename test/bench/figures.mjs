// The figures to reach, and whether a run reached them: `must` decides ok or miss, `stretch` is what we would like.
import { median, medianRatio } from './statistics.mjs'

/**
 * @typedef {object} Figure
 * @property {string} label
 * @property {string} target
 * @property {number} got
 * @property {number} must
 * @property {number} [stretch]
 * @property {'<=' | '>='} sense
 * @property {string} unit
 * @property {'ok' | 'miss' | 'stretch'} mark
 *
 * @typedef {{ none: [number, number?], policy?: [number, number?], os: [number, number?], all?: [number, number?] }} Bounds must and stretch for each setting of the gateway
 */

/** Per pair of transports: bounds of p50, share of calls/s at 64, and what only HTTP -> HTTP has. @type {Record<string, Record<string, Bounds>>} */
const BOUNDS = {
  'http-http': {
    p50: { none: [1.4, 1.2], policy: [1.7], os: [1.8, 1.4], all: [1.9, 1.5] },
    share: { none: [0.8, 1.0], os: [0.6, 0.85], all: [0.6, 0.8] },
    cpu: { none: [1.4, 1.1], os: [1.8, 1.2], all: [2.0, 1.3] },
    p99: { none: [1.6, 1.3], os: [1.8, 1.4] },
    large: { none: [1.6, 1.3], os: [2.6, 2.2] },
  },
  'http-stdio': { p50: { none: [1.4], os: [1.6] }, share: { none: [0.55], os: [0.5] } },
  'stdio-http': { p50: { none: [1.5], os: [1.8] }, share: { none: [0.5], os: [0.45] } },
  'stdio-stdio': { p50: { none: [2.0], os: [2.6] }, share: { none: [0.4], os: [0.3] } },
}
const FULL_SHARE = 0.5
/** To twice the disk's time. */
const FULL_ADDED_MS = { full: 0.3, 'all-full': 0.4 }
const RSS_MIB = /** @type {[number, number]} */ ([140, 115])
const START_MS = /** @type {[number, number]} */ ([300, 220])
const SESSION_MS = 2
const BRIDGE_RATIO = 1.3
const FLAT_RATIO = 1.1
const FLAT_FILES = 5
const LIST_RATIO = /** @type {[number, number]} */ ([1.6, 1.2])

/**
 * @param {import('./calls.mjs').CallResults} results
 * @returns {Figure[]}
 */
export function judgeCalls({ topology, samples, rss, disk, failed }) {
  const bounds = BOUNDS[topology] ?? {}
  const wasTried = (/** @type {string} */ target) => samples[target] !== undefined || failed[target] !== undefined
  /** @param {string} target @param {string} step @param {(sample: import('./calls.mjs').CallSample) => number} pick */
  const ratio = (target, step, pick) => medianRatio((samples[target]?.[step] ?? []).map(pick), (samples.raw?.[step] ?? []).map(pick))
  /** @param {string} target @param {string} step */
  const cpuPerCall = (target, step) => {
    const rounds = samples[target]?.[step] ?? []
    return sum(rounds.map(round => round.cpuSeconds)) / sum(rounds.map(round => round.calls))
  }
  /** @type {Figure[]} */
  const figures = []
  for (const target of /** @type {const} */ (['none', 'policy', 'os', 'all'])) {
    if (!wasTried(target)) continue
    /** @param {string} label @param {string} measure @param {'<=' | '>='} sense @param {number} got */
    const add = (label, measure, sense, got) => {
      const bound = bounds[measure]?.[target]
      if (bound) figures.push(judge(`${topology} ${label}`, target, got, bound, sense, 'x raw'))
    }
    add(
      'p50',
      'p50',
      '<=',
      ratio(target, 'at1', sample => sample.p50),
    )
    add(
      'calls/s at 64',
      'share',
      '>=',
      ratio(target, 'at64', sample => sample.perSecond),
    )
    add('CPU per call', 'cpu', '<=', cpuPerCall(target, 'at64') / cpuPerCall('raw', 'at64'))
    add(
      'p99 at 64',
      'p99',
      '<=',
      ratio(target, 'at64', sample => sample.p99),
    )
    add(
      '100 KB echoed p50',
      'large',
      '<=',
      ratio(target, 'echo100k', sample => sample.p50),
    )
    add(
      '100 KB read p50',
      'large',
      '<=',
      ratio(target, 'read100k', sample => sample.p50),
    )
  }
  const p50 = (/** @type {string} */ target) => median((samples[target]?.at1 ?? []).map(sample => sample.p50))
  for (const [target, addedMs] of Object.entries(FULL_ADDED_MS))
    if (wasTried(target) && topology === 'http-http')
      figures.push(judge(`${topology} p50 added to raw`, target, p50(target) - p50('raw'), [2 * median(disk) + addedMs], '<=', 'ms'))
  if (topology === 'http-http' && wasTried('full'))
    figures.push(
      judge(
        `${topology} calls/s at 64`,
        'full',
        ratio('full', 'at64', sample => sample.perSecond),
        [FULL_SHARE],
        '>=',
        'x raw',
      ),
    )
  for (const target of ['none', 'policy', 'os', 'full', 'all']) {
    if (wasTried(target)) figures.push(judge(`${topology} RSS after load`, target, rss[target] ?? Number.NaN, RSS_MIB, '<=', 'MiB'))
  }
  return figures
}

/**
 * @param {import('./lists.mjs').ListResults} results
 * @returns {Figure[]}
 */
export function judgeLists({ p50, failed }) {
  const times = p50[1000] ?? {}
  return ['none', 'os']
    .filter(target => times[target] !== undefined || failed[`${target} with 1000 tools`] !== undefined)
    .map(target => judge('tools/list of 1000', target, medianRatio(times[target] ?? [], times.direct ?? []), LIST_RATIO, '<=', 'x direct'))
}

/**
 * @param {import('./starts.mjs').StartResults} results
 * @returns {Figure[]}
 */
export function judgeStarts({ start, sessions }) {
  const split = (/** @type {string} */ key) => /** @type {[string, string]} */ (key.split(' '))
  return [
    ...Object.entries(start).map(([key, ms]) => judge(`${split(key)[0]} start to first call`, split(key)[1], ms, START_MS, '<=', 'ms')),
    ...Object.entries(sessions)
      .filter(([key]) => split(key)[1] !== 'direct')
      .flatMap(([key, { p50, children }]) => [
        judge(`${split(key)[0]} session opens`, split(key)[1], p50, [SESSION_MS], '<=', 'ms'),
        judge(`${split(key)[0]} processes of 200 sessions`, split(key)[1], children, [0], '<=', ''),
      ]),
  ]
}

/**
 * @param {import('./eras.mjs').EraResults} results
 * @returns {Figure[]}
 */
export function judgeEras({ samples, failed }) {
  return Object.entries(samples).flatMap(([way, cells]) =>
    ['legacy-modern', 'modern-legacy'].flatMap(cell => {
      const [client] = cell.split('-')
      const same = cells[`${client}-${client}`] ?? {}
      const bridge = failed[`${way} ${cell}`] === undefined ? (cells[cell] ?? {}) : {}
      /** @param {string} step @param {(sample: import('./calls.mjs').CallSample) => number} pick */
      const ratio = (step, pick) => medianRatio((bridge[step] ?? []).map(pick), (same[step] ?? []).map(pick))
      const label = `${way} upstream, ${cell.replace('-', ' -> ')}`
      return [
        judge(
          `${label} p50`,
          'none',
          ratio('at1', sample => sample.p50),
          [BRIDGE_RATIO],
          '<=',
          'x same era',
        ),
        judge(
          `${label} 100 KB p50`,
          'none',
          ratio('echo100k', sample => sample.p50),
          [BRIDGE_RATIO],
          '<=',
          'x same era',
        ),
        judge(
          `${label} CPU per call at 64`,
          'none',
          ratio('at64', sample => sample.cpuSeconds / sample.calls),
          [BRIDGE_RATIO],
          '<=',
          'x same era',
        ),
      ]
    }),
  )
}

/**
 * @param {import('./flat.mjs').FlatResults} results
 * @returns {Figure[]}
 */
export function judgeFlat({ spans, warnings }) {
  return [
    ...spans.flatMap(({ name, rssBefore, rssAfter, filesBefore, filesAfter }) => [
      judge(`${name}: RSS after`, 'none', rssAfter / rssBefore, [FLAT_RATIO], '<=', 'x before'),
      judge(`${name}: open files more`, 'none', filesAfter - filesBefore, [FLAT_FILES], '<=', ''),
    ]),
    judge('warnings of leaked listeners', 'none', warnings, [0], '<=', ''),
  ]
}

/**
 * @param {import('./policy.mjs').PolicyResults} results
 * @returns {Figure[]}
 */
export function judgePolicy({ decide, parse, check, command, reload, dropped }) {
  return [
    judge('decision p50, 1,000 rules, 500 tools', 'policy', 1000 * decide.p50, [20], '<=', 'µs'),
    judge('decision p99', 'policy', 1000 * decide.p99, [100], '<=', 'µs'),
    judge('parse of 10,000 rules', 'policy', parse.median, [500], '<=', 'ms'),
    judge('check of 1,000 rules, 500 tools', 'policy', check.median, [1000], '<=', 'ms'),
    judge('`policy check` of one file', 'policy', command, [300], '<=', 'ms'),
    judge('reload', 'policy', reload, [100], '<=', 'ms'),
    judge('calls dropped by reloads', 'policy', dropped, [0], '<=', ''),
  ]
}

/**
 * @param {import('./postgres.mjs').PostgresResults} results
 * @returns {Figure[]}
 */
export function judgePostgres({ samples }) {
  const at64 = (/** @type {string} */ target, /** @type {'perSecond' | 'p99'} */ what) =>
    median((samples[target]?.at64 ?? []).map(sample => sample[what]))
  return [
    judge('PostgreSQL, calls/s at 64', 'postgres', at64('postgres', 'perSecond'), [500, 1000], '>=', ''),
    judge('PostgreSQL, p99 at 64 added to raw', 'postgres', at64('postgres', 'p99') - at64('raw', 'p99'), [50], '<=', 'ms'),
  ]
}

/**
 * @param {import('./verify.mjs').VerifyResults} results
 * @returns {Figure[]}
 */
export function judgeVerify({ records, perSecond, peak }) {
  const log = `audit verify of ${records.toLocaleString('en')} records`
  return [judge(log, 'os', perSecond, [50_000], '>=', 'records/s'), judge(`${log}: memory`, 'os', peak, [150], '<=', 'MiB')]
}

/**
 * @param {string} label
 * @param {string} target
 * @param {number} got
 * @param {readonly [number, number?]} bound
 * @param {'<=' | '>='} sense
 * @param {string} unit
 * @returns {Figure}
 */
export function judge(label, target, got, [must, stretch], sense, unit) {
  // Invariant: a figure that is not a number was not reached.
  const reaches = (/** @type {number} */ limit) => (sense === '<=' ? got <= limit : got >= limit)
  const mark = stretch !== undefined && reaches(stretch) ? 'stretch' : reaches(must) ? 'ok' : 'miss'
  return { label, target, got, must, ...(stretch !== undefined && { stretch }), sense, unit, mark }
}

/** @param {readonly number[]} values */
const sum = values => values.reduce((total, value) => total + value, 0)
