// The strict scan against JSON.parse over generated and damaged texts, with fixed seeds.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFault, Json } from '../../../../core/mcp/json.ts'
import { ExactNumber, type JsonValue } from '../../../../core/plugin/index.ts'

/** JSON text with odd but legal spelling; keys of one object are made different by their index. */
const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n ')
const integerPart = fc.constantFrom('0', '7', '10', '4503599627370497', '9007199254740993', '98765432109876543210')
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    integerPart,
    fc.constantFrom('', '.0', '.5', '.10', '.000001'),
    fc.constantFrom('', '', 'e3', 'E+2', 'e-400', 'e400'),
  )
  .map(parts => parts.join(''))
const characters = fc.constantFrom(
  'a',
  'Z',
  ' ',
  'é',
  '中',
  '😀',
  '\u2028',
  '\u007f',
  '/',
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\n',
  '\\u0041',
  '\\u00E9',
  '\\ud83d\\uDE00',
  '\\u0000',
  '{',
  '[',
  ',',
  ':',
)
// Long strings are skipped in another way than short ones.
const content = fc
  .oneof({ weight: 9, arbitrary: fc.array(characters, { maxLength: 8 }) }, fc.array(characters, { minLength: 50, maxLength: 120 }))
  .map(list => list.join(''))
const names = fc.constantFrom('a', 'name', '__proto__', 'constructor', 'ü', 'x\\n', '\\u006eame', '1', '')
const { tree } = fc.letrec<{ tree: string; array: string; object: string }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      numberText,
      content.map(text => `"${text}"`),
      fc.constantFrom('true', 'false', 'null'),
    ),
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(space, fc.array(fc.tuple(space, tie('tree'), space), { maxLength: 5 }))
    .map(([inner, items]) => `[${inner}${items.map(item => item.join('')).join()}]`),
  object: fc
    .tuple(space, fc.array(fc.tuple(space, names, space, tie('tree'), space), { maxLength: 12 }))
    .map(([inner, members]) => `{${inner}${members.map(([a, name, b, value, c], i) => `${a}"${name}${i}"${b}:${c}${value}${a}`).join()}}`),
}))
const document = fc.tuple(space, tree, space).map(parts => parts.join(''))

/** What JSON.parse makes of the same text, for values without ExactNumber. */
function plain(value: JsonValue): unknown {
  if (value instanceof ExactNumber) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  const copy = {}
  for (const [key, inner] of Object.entries(value))
    Object.defineProperty(copy, key, { value: plain(inner), enumerable: true, configurable: true, writable: true })
  return copy
}

/** Every value in it is reached through keys, get and items, without the builder. */
function walk(json: Json): unknown {
  if (json.type === 'array') return json.items().map(walk)
  if (json.type !== 'object') return JSON.parse(json.text)
  const copy = {}
  for (const key of json.keys())
    Object.defineProperty(copy, key, { value: walk(json.get(key)!), enumerable: true, configurable: true, writable: true })
  return copy
}

function accept(text: string): Json {
  const json = Json.scan(Buffer.from(text))
  if (isFault(json)) throw new Error(`${json.message} at ${json.offset} of ${text}`)
  return json
}

describe('over generated JSON', () => {
  test('value and lookups see what JSON.parse sees', () => {
    fc.assert(
      fc.property(document, text => {
        const parsed: unknown = JSON.parse(text)
        expect(plain(accept(text).value)).toEqual(parsed)
        expect(walk(accept(text))).toEqual(parsed)
      }),
      { numRuns: 3000, seed: 1 },
    )
  })

  test('what is serialised again is the same value, numbers to the byte', () => {
    fc.assert(
      fc.property(document, text => {
        const { value } = accept(text)
        const again = Json.of(value)
        expect(again.value).toEqual(value)
        expect(accept(again.text).value).toEqual(value)
      }),
      { numRuns: 1500, seed: 2 },
    )
    fc.assert(
      fc.property(numberText, text => {
        expect(Json.of([accept(text).value]).text).toBe(`[${text}]`)
      }),
      { numRuns: 1000, seed: 3 },
    )
  })

  test('with changes the members named and no others', () => {
    const edit = fc.oneof(
      fc.constant(undefined),
      document.map(text => accept(text)),
    )
    fc.assert(
      fc.property(document, fc.array(fc.tuple(fc.nat(14), edit), { maxLength: 4 }), (text, list) => {
        const json = accept(text)
        if (json.type !== 'object') return
        const before = json.keys()
        const edits = Object.fromEntries(list.map(([i, value]) => [before[i] ?? `new${i}`, value]))
        const after = accept(json.with(edits).text)
        const expected = [
          ...before.filter(key => !(key in edits && edits[key] === undefined)),
          ...Object.keys(edits).filter(key => edits[key] !== undefined && !before.includes(key)),
        ]
        expect(after.keys()).toEqual(expected)
        for (const key of expected) expect(after.get(key)?.text).toBe((Object.hasOwn(edits, key) ? edits[key] : json.get(key))?.text)
      }),
      { numRuns: 2000, seed: 4 },
    )
  })
})

describe('over damaged JSON', () => {
  /** Whether the standard parser takes it, and nothing in it is of what we refuse on purpose. */
  function standardAccepts(bytes: Uint8Array): boolean {
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      const parsed: unknown = JSON.parse(text)
      const keys = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)].filter(match => match[1] !== undefined).length
      return members(parsed) === keys && wellFormed(parsed)
    } catch {
      return false
    }
  }

  function members(value: unknown): number {
    if (value === null || typeof value !== 'object') return 0
    const inner = Object.values(value).reduce<number>((sum, one) => sum + members(one), 0)
    return Array.isArray(value) ? inner : inner + Object.keys(value).length
  }

  function wellFormed(value: unknown): boolean {
    if (typeof value === 'string') return !/\p{Surrogate}/u.test(value)
    if (value === null || typeof value !== 'object') return true
    return Object.entries(value).every(([key, inner]) => wellFormed(key) && wellFormed(inner))
  }

  /** Mulberry32, so that a failure comes back. */
  function dice(seed: number): (sides: number) => number {
    let state = seed
    return sides => {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
    }
  }

  const padding = Buffer.alloc(2048, ' ')
  const telling = Buffer.from('"\\{}[]:,0123456789-+.eEtrufalsn/bdDcC8 \n\t\r\0\x1f\x7f\x80\xc0\xed\xa0\xef\xbb\xbf\xf4\xff', 'latin1')

  function damage(bytes: Buffer, roll: (sides: number) => number): Buffer {
    const at = roll(bytes.length + 1)
    const byte = roll(4) === 0 ? roll(256) : telling[roll(telling.length)]!
    const rest = (from: number): Buffer => bytes.subarray(from)
    switch (roll(6)) {
      case 0:
        return Buffer.concat([bytes.subarray(0, at), Uint8Array.of(byte), rest(at)])
      case 1:
        return Buffer.concat([bytes.subarray(0, at), rest(at + 1)])
      case 2:
        return bytes.subarray(0, at)
      case 3:
        return Buffer.concat([bytes.subarray(0, at), rest(roll(bytes.length + 1))])
      case 4:
        return rest(at)
      default:
        return Buffer.concat([bytes.subarray(0, at), Uint8Array.of(byte), rest(at + 1)])
    }
  }

  test('24,000 damaged texts are accepted exactly where JSON.parse accepts them, but for duplicates and surrogates', () => {
    const roll = dice(2026)
    const counts = { accepted: 0, refused: 0 }
    for (const text of fc.sample(document, { numRuns: 800, seed: 5 })) {
      let bytes: Buffer = Buffer.from(text)
      for (let round = 0; round < 30; round++) {
        if (round % 3 === 0) bytes = Buffer.from(text)
        bytes = damage(bytes, roll)
        const accepted = !isFault(Json.scan(bytes))
        // Long texts are read several bytes at a time: the same text after 2 KB of white space must get the same answer.
        if (accepted === isFault(Json.scan(Buffer.concat([padding, bytes]))))
          expect.fail(`long and short differ: ${bytes.toString('latin1')}`)
        counts[accepted ? 'accepted' : 'refused']++
        if (accepted !== standardAccepts(bytes))
          expect.fail(`${accepted ? 'accepted' : 'refused'}: ${JSON.stringify(bytes.toString('latin1'))}`)
      }
    }
    // Both answers occur often, or the comparison would say little.
    expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(2000)
  })
})
