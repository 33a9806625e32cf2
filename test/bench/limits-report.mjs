// The printed figures of limits, and those to reach.
import { judge } from './figures.mjs'
import { formatTable } from './report.mjs'

const CHECK_US = 5
const MIB = 100
/** @type {Readonly<Record<string, string>>} */
const NAMES = { first: 'in memory, first time', again: 'in memory, again', shared: 'over Redis', nothing: 'Redis asked for nothing' }

/** @param {import('./limits.mjs').LimitResults} results */
export function formatLimits({ principals, ways, mib, roundTrips }) {
  const rows = Object.entries(ways).map(([way, { p50, p99 }]) => [NAMES[way] ?? way, p50.toFixed(1), p99.toFixed(1)])
  const trips = roundTrips === undefined ? 'no Redis was there' : `${roundTrips} round trips a check`
  const about = `${principals.toLocaleString('en')} principals in ${mib.toFixed(1)} MiB; ${trips}`
  return `a window and a bucket of each principal: ${about}\n${formatTable([['', 'p50 us', 'p99 us'], ...rows])}`
}

/** @param {import('./limits.mjs').LimitResults} results */
export function judgeLimits({ ways, mib, roundTrips }) {
  return [
    judge('a check in memory takes', 'limits', ways.again?.p50, [CHECK_US], '<=', 'us'),
    judge('100,000 principals take', 'limits', mib, [MIB], '<=', 'MiB'),
    ...(roundTrips === undefined ? [] : [judge('a check over Redis takes round trips', 'limits', roundTrips, [1], '<=', '')]),
  ]
}
