// Throughput of the redact plugin on built code: `npm run build && node test/bench/redact.mjs`. Prints MB/s, best of several rounds.
import { Buffer } from 'node:buffer'
import { performance } from 'node:perf_hooks'
import { detectors } from '../../dist/plugins/redact/catalog.js'
import { maskText } from '../../dist/plugins/redact/masker.js'
import { createRedactor } from '../../dist/plugins/redact/redactor.js'
import { compileScanner } from '../../dist/plugins/redact/scanner.js'

const scanner = compileScanner(detectors)
const words =
  'the quick brown fox jumps over a lazy dog while the server answers with results from its table of items and status codes'.split(' ')
let seed = 1
const random = below => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
const prose = () => Array.from({ length: 12 }, () => words[random(words.length)]).join(' ')
const hex = length => Array.from({ length }, () => '0123456789abcdef'[random(16)]).join('')
const record = i => ({
  id: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  sha: hex(40),
  at: '2026-11-21T05:39:00.123Z',
  version: '1.12.3-rc.1',
  text: prose(),
  ms: 1763703615123 + i,
  url: 'https://example.com/a/b?c=1',
})
const result = (bytes, extra = {}) => {
  const rows = Array.from({ length: Math.ceil(bytes / 640) }, (_, i) => ({ ...record(i), ...extra }))
  return JSON.stringify({ content: [{ type: 'text', text: JSON.stringify(rows, null, 1) }], structuredContent: { rows } })
}

// A string as it comes off the wire: flat, made from bytes.
const flat = text => Buffer.from(text).toString()
const plain = flat(JSON.stringify(Array.from({ length: 16_000 }, prose).join('. ')))
const dense = flat(Array.from({ length: 8000 }, (_, i) => `user${i}@example.com paid with 4111 1111 1111 1111, ${prose()}`).join('\n'))
const clean100 = flat(result(100_000))
const dirty100 = flat(result(100_000, { owner: 'ann@example.com' }))

const walk = json => createRedactor(scanner, [], new Map()).message(JSON.parse(json))
const cases = [
  ['screen, clean text', plain, scanner.screen],
  ['screen, clean records as JSON', flat(result(4_000_000)), scanner.screen],
  ['screen, clean 100 KB tool result', clean100, scanner.screen],
  ['find and mask, clean text', plain, text => maskText(scanner, text, '', new Map())],
  ['find and mask, dense text', dense, text => maskText(scanner, text, '', new Map())],
  ['parse and walk, 100 KB tool result with findings', dirty100, walk],
]
for (const [name, text, work] of cases) {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 12; round++) {
    const times = Math.max(1, Math.floor(1_000_000 / text.length))
    const start = performance.now()
    for (let i = 0; i < times; i++) work(text)
    best = Math.min(best, (performance.now() - start) / times)
  }
  console.log(`${name.padEnd(52)} ${(text.length / 1000 / best).toFixed(0).padStart(5)} MB/s  ${best.toFixed(2).padStart(8)} ms`)
}
