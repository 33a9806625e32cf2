// JSON texts with odd but legal spelling, sound and damaged, and what the strict scan owes each: JSON.parse is the judge.
import { deepStrictEqual, equal, fail } from 'node:assert/strict'
import fc from 'fast-check'
import { isFault, Json } from '../../../../core/mcp/json.ts'
import { readMessage } from '../../../../core/mcp/message.ts'
import { ExactNumber, type JsonValue } from '../../../../core/plugin/index.ts'
import type { Law } from '../../../fuzz/law.ts'

/** Keys of one object are made different by their index. */
const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n ')
const integerPart = fc.constantFrom('0', '7', '10', '4503599627370497', '9007199254740993', '98765432109876543210')
export const numberText: fc.Arbitrary<string> = fc
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
export const document: fc.Arbitrary<string> = fc.tuple(space, tree, space).map(parts => parts.join(''))

/** What JSON.parse makes of the same text, for values without ExactNumber. */
function plain(value: JsonValue): unknown {
  if (value instanceof ExactNumber) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object') return value
  return objectOf(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** Every value in it is reached through keys, get and items, without the builder. */
function walk(json: Json): unknown {
  if (json.type === 'array') return json.items().map(walk)
  if (json.type !== 'object') return JSON.parse(json.text)
  return objectOf(json.keys().map(key => [key, walk(json.get(key)!)]))
}

/** Defined, not set: `__proto__` is a key like others. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const all = {}
  for (const [key, value] of entries) Object.defineProperty(all, key, { value, enumerable: true, configurable: true, writable: true })
  return all
}

export function accept(text: string): Json {
  const json = Json.scan(Buffer.from(text))
  if (isFault(json)) throw new Error(`${json.message} at ${json.offset} of ${text}`)
  return json
}

export const seesWhatParseSees: Law<string> = {
  input: document,
  holds(text) {
    const parsed: unknown = JSON.parse(text)
    deepStrictEqual(plain(accept(text).value), parsed)
    deepStrictEqual(walk(accept(text)), parsed)
  },
}

export const isWrittenAsItWas: Law<string> = {
  input: document,
  holds(text) {
    const { value } = accept(text)
    const again = Json.of(value)
    deepStrictEqual(again.value, value)
    deepStrictEqual(accept(again.text).value, value)
  },
}

/** Of each edit: a place, bytes that go out there, and bytes that come in. */
type Edit = readonly [at: number, out: number, into: string]
const telling = Array.from('"\\{}[]:,0123456789-+.eEtrufalsn/bdDcC8 \n\t\r\0\x1f\x7f\x80\xc0\xed\xa0\xef\xbb\xbf\xf4\xff')
const edit: fc.Arbitrary<Edit> = fc.tuple(
  fc.nat(),
  fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, fc.nat(200)),
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('', ...telling) },
    fc.nat(255).map(byte => String.fromCharCode(byte)),
    fc.constantFrom('"a":1,', '\\u', '\\ud83d', '"a"', '1e', '{"', '\xed\xa0\x80'),
  ),
)
const damage = (text: string, edits: readonly Edit[]): string =>
  edits.reduce((now, [place, out, into]) => {
    const at = place % (now.length + 1)
    return now.slice(0, at) + into + now.slice(at + out)
  }, Buffer.from(text).toString('latin1'))

/** Bytes, one a character. */
export const damaged: fc.Arbitrary<string> = fc
  .tuple(document, fc.array(edit, { minLength: 1, maxLength: 2 }))
  .map(([text, edits]) => damage(text, edits))

const padding = Buffer.alloc(2048, ' ')

export const isAccepted = (bytes: string): boolean => !isFault(Json.scan(Buffer.from(bytes, 'latin1')))

/** Accepted exactly where JSON.parse accepts it, but for duplicates and surrogates. */
export const isTakenOrRefused: Law<string> = {
  input: damaged,
  holds(text) {
    const bytes = Buffer.from(text, 'latin1')
    const isTaken = isAccepted(text)
    // Long texts are read several bytes at a time: the same text after 2 KB of white space must get the same answer.
    equal(isFault(Json.scan(Buffer.concat([padding, bytes]))), !isTaken, 'long and short differ')
    equal(isTaken, standardAccepts(bytes), isTaken ? 'accepted' : 'refused')
  },
}

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

const member = fc.tuple(
  fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'error', 'Method', 'ID', 'm\\u0065thod', 'other'),
  fc.oneof(
    fc.constantFrom('"2.0"', '1', '"a"', 'null', '1.5', '1e3', '"tools/call"', '{}', '[]', '""'),
    fc.constantFrom('{"name":"x","arguments":{}}', '{"Name":"x"}', '{"_meta":{"ProgressToken":1}}', '{"code":-1,"message":"m"}'),
    tree,
  ),
)
const envelope = fc.array(member, { maxLength: 6 }).map(all => `{${all.map(([key, value]) => `"${key}":${value}`).join()}}`)

/** A message is what JSON.parse sees in it, with exact keys; or it is refused with a reason. */
export const isOneMessage: Law<{ readonly text: string; readonly side: 'downstream' | 'upstream' }> = {
  input: fc.record({ text: envelope, side: fc.constantFrom('downstream', 'upstream') }),
  holds({ text, side }) {
    const json = Json.scan(Buffer.from(text))
    if (isFault(json)) return
    const message = readMessage(json, side)
    const parsed = JSON.parse(text) as Record<string, unknown>
    if ('code' in message) return equal(typeof message.message, 'string')
    if (message.kind === 'batch') fail('an object is no batch')
    equal(parsed.jsonrpc, '2.0')
    equal(['method', 'result', 'error'].filter(key => key in parsed).length, 1)
    equal(
      Object.keys(parsed).find(key => /^(?:Method|ID)$/.test(key)),
      undefined,
      'a key that looks like another',
    )
    if (message.kind === 'request' || message.kind === 'notification') {
      equal(message.method, parsed.method)
      equal(message.kind === 'request', 'id' in parsed)
      deepStrictEqual(message.params && JSON.parse(message.params.text), parsed.params)
    }
    if (message.kind === 'request' || message.kind === 'result') deepStrictEqual(JSON.parse(message.id.text), parsed.id)
  },
}
