// The cheap look at the JSON text: it may suspect too much, but it never overlooks, and it stays linear.
import { expect, test } from 'vitest'
import { hold } from '../../fuzz/law.ts'
import { lookalikes } from './corpus.ts'
import { aLookOverlooksNothing, noEscapeHidesAFinding, scanner, suspects, values } from './laws.ts'

test('a first look at the bytes never overlooks what the screen suspects', async () => {
  let suspected = 0
  const counted = aLookOverlooksNothing.input.map(json => {
    if (scanner.screen(json)) suspected += 1
    return json
  })
  await hold({ ...aLookOverlooksNothing, input: counted }, { numRuns: 3000 })
  expect(suspected).toBeGreaterThan(300)
  for (const value of values) expect(scanner.glance(Buffer.from(JSON.stringify({ text: value })))).toBe(true)
})

test('whatever escapes a JSON text uses, a finding in a decoded string is suspected', () => hold(noEscapeHidesAFinding, { numRuns: 4000 }))

test('a domain in letters beyond ASCII is suspected where they are escaped, as many serialisers write them', () => {
  for (const address of ['jos\u00e9@ex\u00e4mple.de', 'ann@b\u00fccher.example', 'ann@\u00e4.de', 'ann@sub.ex-\u00e4.de']) {
    const escaped = JSON.stringify({ a: `  ${address} ` }).replace(
      /[\u0080-\uffff]/g,
      unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    expect(scanner.find(address, '').spans).toHaveLength(1)
    expect(scanner.screen(escaped)).toBe(true)
    expect(scanner.screen(JSON.stringify({ a: address }))).toBe(true)
  }
})

test('an escape inside a JSON document that is itself a string is suspected', () => {
  expect(suspects(JSON.stringify({ text: '{"a":"ann\\u0040example.com"}' }))).toBe(true)
})

test('numbers are suspected however they are written', () => {
  for (const number of [
    '4111111111111111',
    '-4111111111111111',
    '41111111.11111111e8',
    '4111111111111111.0',
    '4.111111111111111e15',
    '41111111111111110e-1',
    '4.111111111111111E+15',
  ]) {
    expect(suspects(`{"a":${number}}`)).toBe(true)
  }
})

test('ordinary traffic passes without a second look', () => {
  const clean = lookalikes().filter(
    text => !/^(?:eyJ|SG|4111|\*|-{5}|https:\/\/user@)/.test(text) && scanner.find(text, '').spans.length === 0,
  )
  const suspected = clean.filter(text =>
    suspects(JSON.stringify({ content: [{ type: 'text', text: JSON.stringify({ a: text, b: 'line\n"two"' }) }] })),
  )
  expect(suspected).toEqual([])
  expect(suspects(JSON.stringify({ text: 'Grüße aus Köln, „naïve“ 邮箱 \u2014 fin' }))).toBe(false)
  expect(suspects('{"text":"caf\\u00e9 \\u003cb\\u003e \\u4e2d"}')).toBe(false)
})

const { hostile } = (await import(new URL('../../fixtures/redact/hostile.mjs', import.meta.url).href)) as { hostile: readonly string[] }

// Eight times the text: linear work takes about 8 times as long, quadratic 64 times. Below a millisecond is noise.
const sizes = [8000, 64_000] as const
const mostRatio = 32
const attempts = 5

test('work grows with the length of a text, whatever is repeated in it', { timeout: 120_000 }, () => {
  for (const fragment of hostile) {
    const texts = sizes.map(size => fragment.repeat(Math.ceil(size / fragment.length)))
    for (const work of [
      (text: string) => scanner.find(text, ''),
      (text: string) => scanner.screen(text),
      (text: string) => scanner.glance(Buffer.from(text)),
    ]) {
      const ratio = (): number => cpuTime(work, texts[1]!) / Math.max(cpuTime(work, texts[0]!), 1)
      // On a busy machine one measurement may be anything; quadratic work never gets through.
      const best = Array.from({ length: attempts }).reduce<number>(least => (least < mostRatio ? least : Math.min(least, ratio())), ratio())
      expect(best, JSON.stringify(fragment)).toBeLessThan(mostRatio)
    }
  }
})

/** ms: on a busy machine the time that passes says nothing of the work. */
function cpuTime(work: (text: string) => unknown, text: string): number {
  const start = process.cpuUsage()
  work(text)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
