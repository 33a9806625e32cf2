// Recall and precision per detector, over values and look-alikes that were made without any code of the detectors.
import { expect, test } from 'vitest'
import { detectors, groups, ids } from '../../../plugins/redact/catalog.ts'
import { compileScanner } from '../../../plugins/redact/scanner.ts'
import { negatives } from './corpus/negatives.ts'
import { positives } from './corpus/positives.ts'

const scanner = compileScanner(detectors)
const values = positives(20_261_128)
const lookalikes = negatives(20_261_129, 51_000)

interface Score {
  wanted: number
  found: number
  wrong: number
}
const scores = new Map<string, Score>(ids.map(id => [id, { wanted: 0, found: 0, wrong: 0 }]))
const missed: string[] = []
const wrong: string[] = []

function blame(id: string, text: string, start: number, end: number): void {
  scores.get(id)!.wrong += 1
  wrong.push(`${id}: ${JSON.stringify(text.slice(start, end))} in ${JSON.stringify(text)}`)
}

for (const { id, text, key, start, end } of values) {
  const score = scores.get(id)!
  score.wanted += 1
  const { spans } = scanner.find(text, key)
  if (spans.some(span => span.detector.id === id && span.start === start && span.end === end)) score.found += 1
  else missed.push(`${id}: ${JSON.stringify(text)}`)
  // Another name for the same characters is no harm; a finding beside them is.
  for (const span of spans) if (span.start >= end || span.end <= start) blame(span.detector.id, text, span.start, span.end)
}
for (const text of lookalikes) {
  for (const { detector, start, end } of scanner.find(text, '').spans) blame(detector.id, text, start, end)
}

const share = (part: number, whole: number): number => (whole === 0 ? Number.NaN : part / whole)
const recallOf = ({ found, wanted }: Score): number => share(found, wanted)
const precisionOf = ({ found, wrong: bad }: Score): number => share(found, found + bad)

const rows = [...scores].map(
  ([id, score]) =>
    `${id.padEnd(20)} ${String(score.wanted).padStart(5)}  recall ${recallOf(score).toFixed(3)}  precision ${precisionOf(score).toFixed(3)}  wrong ${score.wrong}`,
)
console.log([`${values.length} values, ${lookalikes.length} look-alikes`, ...rows].join('\n'))

test('the corpus is as large as promised, and knows each detector', () => {
  expect(values.length).toBeGreaterThanOrEqual(5000)
  expect(new Set(lookalikes).size).toBeGreaterThanOrEqual(45_000)
  expect(lookalikes.length).toBeGreaterThanOrEqual(50_000)
  for (const [id, { wanted }] of scores) expect(wanted, id).toBeGreaterThanOrEqual(100)
})

const secrets = groups.get('secrets')!

test.each(ids)('%s is found, and little else is taken for it', id => {
  const [recall, precision] = id === 'ssn' ? [0.98, 0.9] : secrets.has(id) ? [0.98, 0.98] : [0.99, 0.97]
  const score = scores.get(id)!
  const about = (lines: readonly string[]): string =>
    lines
      .filter(line => line.startsWith(`${id}: `))
      .slice(0, 5)
      .join('\n')
  expect(recallOf(score), about(missed)).toBeGreaterThanOrEqual(recall)
  expect(precisionOf(score), about(wrong)).toBeGreaterThanOrEqual(precision)
})

test('what is found in a text is suspected in its JSON, alone and within a JSON document that is a text', () => {
  for (const { text, key } of values) {
    if (scanner.find(text, key).spans.length === 0) continue
    const json = JSON.stringify({ [key || 'a']: text })
    for (const message of [json, JSON.stringify({ text: json })]) {
      expect(scanner.screen(message), message).toBe(true)
      expect(scanner.glance(Buffer.from(message)), message).toBe(true)
    }
  }
})
