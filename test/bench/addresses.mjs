// The addresses part: what it costs to look an address up among ten thousand ranges.
import { existsSync } from 'node:fs'
import { judge } from './figures.mjs'
import { formatTable } from './report.mjs'

const BUILT = new URL('../../dist/', import.meta.url)
const RANGES = 10_000
const LOOKUPS = 50_000
const MUST_US = 5

/** @typedef {{ us: number }} AddressResults CPU time of one lookup, microseconds: the least of all rounds */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<AddressResults | undefined>}
 */
export async function benchAddresses(settings) {
  if (!existsSync(new URL('plugins/ipfilter/filter.js', BUILT))) return undefined
  settings.progress('addresses')
  const { createFilter } = await import(new URL('plugins/ipfilter/filter.js', BUILT).href)
  const filter = createFilter({ deny: [...new Set(Array.from({ length: RANGES }, (_, i) => writeRange(i)))] })
  const peers = Array.from({ length: 1000 }, (_, i) => ({
    transport: 'http',
    ip: i % 3 === 0 ? `${writeSix()}::1` : writeFour(random(2 ** 32)),
  }))
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round <= 2 * settings.rounds; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < LOOKUPS; i++) filter(peers[i % peers.length])
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / LOOKUPS)
  }
  return { us: best }
}

/** @param {AddressResults} results */
export function formatAddresses({ us }) {
  return `addresses, CPU time\n${formatTable([['one among 10,000 ranges', `${us.toFixed(2)} us`]])}`
}

/** @param {AddressResults} results */
export function judgeAddresses({ us }) {
  return [judge('an address among 10,000 ranges takes', 'ipfilter', us, [MUST_US], '<=', 'us')]
}

let seed = 1
const random = (/** @type {number} */ below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
const writeFour = (/** @type {number} */ word) => [24, 16, 8, 0].map(shift => (word >>> shift) & 255).join('.')
const writeSix = () => `2001:${random(65_536).toString(16)}:${random(65_536).toString(16)}`
function writeRange(/** @type {number} */ i) {
  const bits = 8 + random(25)
  return i % 3 === 0 ? `${writeSix()}::/48` : `${writeFour((random(2 ** 32) & (-1 << (32 - bits))) >>> 0)}/${bits}`
}
