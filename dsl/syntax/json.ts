// JSON as a test of a policy has it: strict, no key twice, nesting bounded, numbers as written.
import type { Json } from '../ast.ts'
import { JsonNumber } from '../json-number.ts'

export type JsonResult =
  | { readonly value: Json; readonly end: number }
  /** Offset and length in the text, and what is wrong there. */
  | { readonly wrong: string; readonly at: number; readonly length: number; readonly help?: string }

export const MAX_JSON_DEPTH = 64

const SPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const WORD = /(?:true|false|null)(?![A-Za-z0-9_])/y
const ODD = /'[^'\r\n]*'|[^\s,:[\]{}"]+|"(?:[^"\\\r\n]|\\.)*"?|./suy
const BARE = /[A-Za-z_]\w*/y

class Wrong {
  readonly result: JsonResult & { wrong: string }
  constructor(wrong: string, at: number, length: number, help?: string) {
    this.result = { wrong, at, length, ...(help !== undefined && { help }) }
  }
}

/** Reads one value of `text` that begins at `start`; nothing but white space may follow before `end`. */
export function readJson(text: string, start = 0, end: number = text.length): JsonResult {
  const source = end === text.length ? text : text.slice(0, end)
  try {
    const reader = new Reader(source, start)
    const value = reader.value(0)
    const behind = reader.at
    reader.space()
    if (reader.at < end) reader.fail('the end of the value')
    return { value, end: behind }
  } catch (error) {
    if (error instanceof Wrong) return error.result
    throw error
  }
}

class Reader {
  readonly text: string
  at: number

  constructor(text: string, at: number) {
    this.text = text
    this.at = at
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  space(): void {
    this.take(SPACE)
  }

  fail(expected: string, help?: string): never {
    const at = this.at
    if (at >= this.text.length) throw new Wrong(`expected ${expected}, found the end`, at, 0)
    const odd = this.take(ODD)!
    const hint = help ?? (odd.startsWith("'") ? 'strings stand in double quotes' : undefined)
    throw new Wrong(`expected ${expected}, found \`${odd}\``, at, odd.length, hint)
  }

  value(depth: number): Json {
    this.space()
    const unit = this.text[this.at]
    if (unit === '{' || unit === '[') {
      if (depth === MAX_JSON_DEPTH) throw new Wrong(`expected at most ${MAX_JSON_DEPTH} levels, found one more`, this.at, 1)
      return unit === '{' ? this.object(depth + 1) : this.array(depth + 1)
    }
    if (unit === '"') return this.string('a string')
    const word = this.take(WORD)
    if (word !== undefined) return word === 'null' ? null : word === 'true'
    const number = this.take(NUMBER)
    if (number === undefined) return this.fail('a value')
    if (/[\w.]/.test(this.text[this.at] ?? '')) {
      this.at -= number.length
      return this.fail('a number')
    }
    return new JsonNumber(number)
  }

  string(expected: string): string {
    const found = this.take(STRING)
    if (found !== undefined) return JSON.parse(found) as string
    BARE.lastIndex = this.at
    return this.fail(expected, BARE.test(this.text) ? 'keys stand in double quotes' : undefined)
  }

  object(depth: number): Json {
    const members = new Map<string, Json>()
    this.at++
    this.space()
    if (this.text[this.at] === '}') {
      this.at++
      return members
    }
    for (;;) {
      this.space()
      const at = this.at
      if (members.size > 0 && this.text[at] === '}') this.fail('a key', 'no comma stands behind the last member')
      const key = this.string('a key')
      if (members.has(key)) throw new Wrong(`expected each key once, found \`${key}\` again`, at, this.at - at)
      this.space()
      if (this.text[this.at] !== ':') this.fail('`:`')
      this.at++
      members.set(key, this.value(depth))
      this.space()
      if (this.closes('}')) return members
    }
  }

  array(depth: number): Json {
    const entries: Json[] = []
    this.at++
    this.space()
    if (this.text[this.at] === ']') {
      this.at++
      return entries
    }
    for (;;) {
      this.space()
      if (entries.length > 0 && this.text[this.at] === ']') this.fail('a value', 'no comma stands behind the last entry')
      entries.push(this.value(depth))
      this.space()
      if (this.closes(']')) return entries
    }
  }

  /** Takes a comma, or the bracket that ends it all. */
  closes(bracket: string): boolean {
    const unit = this.text[this.at]
    if (unit !== ',' && unit !== bracket) this.fail(`\`,\` or \`${bracket}\``)
    this.at++
    return unit === bracket
  }
}
