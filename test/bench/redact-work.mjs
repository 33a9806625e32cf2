// Works of the redact part, in a process of its own: built code, CPU time of the best of several rounds. Prints JSON.
import { Buffer } from 'node:buffer'
import { detectors, ids, selectDetectors, usual } from '../../dist/plugins/redact/catalog.js'
import { maskText } from '../../dist/plugins/redact/masker.js'
import { createRedactor } from '../../dist/plugins/redact/redactor.js'
import { compileScanner } from '../../dist/plugins/redact/scanner.js'
import { createSearch } from '../../dist/plugins/redact/search.js'
import { createTextMasker } from '../../dist/plugins/redact/text-masker.js'
import { createWriter } from '../../dist/plugins/redact/writer.js'
import { hostile } from '../fixtures/redact/hostile.mjs'

const ROUNDS = Number(process.argv[2] ?? 5)
const LARGE = 2_000_000
const HOSTILE = 100_000
const scanner = compileScanner(selectDetectors(usual, {}))
const everything = compileScanner(detectors)

let seed = 1
const random = (/** @type {number} */ below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
const words =
  'the quick brown fox jumps over a lazy dog while the server answers with results from its table of items and status codes'.split(' ')
const prose = () => Array.from({ length: 12 }, () => words[random(words.length)]).join(' ')
const hex = (/** @type {number} */ length) => Array.from({ length }, () => '0123456789abcdef'[random(16)]).join('')
const record = (/** @type {number} */ i) => ({
  id: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  sha: hex(40),
  at: '2026-11-21T05:39:00.123Z',
  version: '1.12.3-rc.1',
  text: prose(),
  ms: 1763703615123 + i,
  url: 'https://example.com/a/b?c=1',
})
/** A string as it comes off the wire: flat, made from bytes. @param {string} text */
const flat = text => Buffer.from(text).toString()
/** @param {(i: number) => string} line @param {number} size */
const fill = (line, size) => {
  let text = ''
  for (let i = 0; text.length < size; i++) text += `${line(i)}\n`
  return flat(text.slice(0, size))
}

const clean = fill(prose, LARGE)
const cleanJson = flat(JSON.stringify(clean))
const dense = fill(i => `user${i}@example.com paid with 4111 1111 1111 1111, ${prose()}`, LARGE)
const rows = Array.from({ length: 160 }, (_, i) => record(i))
const result = (/** @type {object} */ extra) =>
  flat(
    JSON.stringify({
      content: [
        {
          type: 'text',
          text: JSON.stringify(
            rows.map(row => ({ ...row, ...extra })),
            null,
            1,
          ),
        },
      ],
      structuredContent: { rows: rows.map(row => ({ ...row, ...extra })) },
    }),
  )
const records = result({})
const recordBytes = Buffer.from(records)
const dirty = result({ owner: 'ann@example.com' })
const suspects = (/** @type {Buffer} */ bytes, /** @type {string} */ text) => scanner.glance(bytes) && scanner.screen(text)
const cleanBytes = Buffer.from(cleanJson)

const walk = (/** @type {string} */ json) => {
  const tally = new Map()
  const texts = createTextMasker({ search: createSearch(scanner, []), tally, writer: createWriter() })
  return createRedactor({ texts, fields: [], tally }).message(JSON.parse(json))
}

/** CPU milliseconds of one go, the least of all rounds. @param {() => unknown} work @param {number} [times] */
function cost(work, times = 1) {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < times; i++) work()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1000 / times)
  }
  return best
}
/** @param {number} size @param {() => unknown} work @param {number} [times] */
const speed = (size, work, times) => size / 1000 / cost(work, times)

const speeds = {
  'look, clean text': speed(cleanJson.length, () => suspects(cleanBytes, cleanJson)),
  'look, clean records': speed(records.length, () => suspects(recordBytes, records), 10),
  'search, clean text': speed(clean.length, () => scanner.find(clean, '')),
  'mask, dense text': speed(dense.length, () => maskText(scanner, dense, '', new Map())),
  'parse and walk, records with findings': speed(dirty.length, () => walk(dirty), 3),
}

/** The slowest thing that can be asked about each hostile text, in ms per 100 KB. */
const worst = hostile.map(fragment => {
  const text = flat(fragment.repeat(Math.ceil(HOSTILE / fragment.length)).slice(0, HOSTILE))
  const bytes = Buffer.from(text)
  const size = text.length / HOSTILE
  const ms = Math.max(
    cost(() => everything.find(text, '')),
    cost(() => everything.screen(text)),
    cost(() => everything.glance(bytes)),
  )
  return { fragment, ms: ms / size }
})
console.log(JSON.stringify({ detectors: ids.length, speeds, worst: worst.sort((a, b) => b.ms - a.ms) }))
