// The printed figures of knowing a caller, and those to reach.
import { judge } from './figures.mjs'
import { formatTable } from './report.mjs'

const KEY_US = 10
const FIRST_US = 250
const AGAIN_US = 10
/** @type {Readonly<Record<string, string>>} */
const NAMES = { key: 'API key', first: 'token, ES256, first time', again: 'token seen before' }

/** @param {import('./auth.mjs').AuthResults} results */
export function formatAuth({ callers, ways }) {
  const rows = Object.entries(ways).map(([way, { p50, p99 }]) => [NAMES[way] ?? way, p50.toFixed(1), p99.toFixed(1)])
  return `who is it, ${callers.toLocaleString('en')} callers\n${formatTable([['', 'p50 us', 'p99 us'], ...rows])}`
}

/** @param {import('./auth.mjs').AuthResults} results */
export function judgeAuth({ ways }) {
  return [
    judge('an API key is checked in', 'auth', ways.key.p50, [KEY_US], '<=', 'us'),
    judge('a token is verified in', 'auth', ways.first.p50, [FIRST_US], '<=', 'us'),
    judge('a token seen before is known in', 'auth', ways.again.p50, [AGAIN_US], '<=', 'us'),
  ]
}
