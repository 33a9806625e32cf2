// From JSON to the values of conditions: objects without a prototype, integers exact, and nothing that is too large.
import type { Json } from '../ast.ts'
import { JsonNumber } from '../json-number.ts'
import type { JsonSchema } from '../lock/lock.ts'
import type { Value } from '../value.ts'
import { type Numbers, numbersOf } from './number-schema.ts'

/** Strict JSON of a policy, or plain JSON whose numbers are exact as JS numbers. */
export type AnyJson = Json | PlainJson
export type PlainJson = null | boolean | string | number | readonly PlainJson[] | { readonly [key: string]: PlainJson }

/** Instead of a value: whoever meets it refuses. */
export class TooLarge {
  readonly what: 'depth' | 'length' | 'size'
  constructor(what: 'depth' | 'length' | 'size') {
    this.what = what
  }
}

const deepest = 64
const longest = 10_000
const largest = 100_000

export function normalise(json: unknown, schema?: JsonSchema): Value | TooLarge {
  const state = { left: largest, tooLarge: undefined as TooLarge | undefined }
  const value = convert(json, schema === undefined ? undefined : numbersOf(schema), 0, state)
  return state.tooLarge ?? value
}

interface State {
  left: number
  tooLarge: TooLarge | undefined
}

function convert(json: unknown, numbers: Numbers | undefined, depth: number, state: State): Value {
  if (typeof json === 'string' || typeof json === 'boolean' || json === null || json === undefined) return json ?? null
  if (typeof json === 'number') return numberOf(json, numbers?.kind)
  if (json instanceof JsonNumber) return numberOfText(json.text, numbers?.kind)
  if (depth >= deepest) return refuse(state, 'depth')
  if (Array.isArray(json)) {
    if (!room(state, json.length)) return null
    return json.map((one, at) => convert(one, numbers?.item(at), depth + 1, state))
  }
  const entries: readonly (readonly [string, unknown])[] = json instanceof Map ? [...json] : Object.entries(json as object)
  if (!room(state, entries.length)) return null
  const made = new Map<string, Value>()
  for (const [key, one] of entries) made.set(key, convert(one, numbers?.property(key), depth + 1, state))
  return made
}

function refuse(state: State, what: TooLarge['what']): null {
  state.tooLarge ??= new TooLarge(what)
  return null
}

function room(state: State, count: number): boolean {
  if (state.tooLarge !== undefined) return false
  state.left -= count
  if (count > longest) refuse(state, 'length')
  else if (state.left < 0) refuse(state, 'size')
  return state.tooLarge === undefined
}

const integer = /^-?\d+$/

function numberOfText(text: string, kind: 'integer' | 'number' | undefined): Value {
  // Beyond this no schema means an integer, and reading one would be slow.
  if (kind === 'number' || text.length > 400) return Number(text)
  if (integer.test(text)) return BigInt(text)
  return kind === 'integer' ? numberOf(Number(text), kind) : Number(text)
}

function numberOf(value: number, kind: 'integer' | 'number' | undefined): Value {
  return kind !== 'number' && Number.isInteger(value) ? BigInt(value) : value
}
