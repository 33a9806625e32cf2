// Writes a value that a plugin or the gateway made as JSON text; what has no faithful JSON form is a bug and throws.
import { ExactNumber, type JsonValue } from '../../plugin/index.ts'
import { deepest } from './scan.ts'

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const needsEscape = /["\\]|[^\u0020-\ud7ff\ue000-\uffff]/
const loneSurrogate = /\p{Surrogate}/gu

/** Compact JSON text. Lone surrogates in strings become U+FFFD, as in every UTF-8 encoder. */
export function serialise(value: JsonValue): string {
  return write(value, 0)
}

/** `text` as a JSON string. */
export function quote(text: string): string {
  if (!needsEscape.test(text)) return `"${text}"`
  return JSON.stringify(text.replace(loneSurrogate, '\ufffd'))
}

function write(value: JsonValue, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`)
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      break
    default:
      throw new TypeError(`a ${typeof value} has no JSON form`)
  }
  if (value === null) return 'null'
  if (depth >= deepest) throw new TypeError(`a value nested deeper than ${deepest} levels`)
  if (Array.isArray(value)) return writeArray(value, depth)
  if (value instanceof ExactNumber) {
    if (!number.test(value.text)) throw new TypeError('an ExactNumber whose text is no number')
    return value.text
  }
  return writeObject(value as { readonly [key: string]: JsonValue }, depth)
}

function writeArray(array: readonly JsonValue[], depth: number): string {
  let text = '['
  for (let i = 0; i < array.length; i++) {
    if (i > 0) text += ','
    text += write(array[i]!, depth + 1)
  }
  return `${text}]`
}

function writeObject(object: { readonly [key: string]: JsonValue }, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw new TypeError('an instance of a class has no JSON form')
  let text = '{'
  const names = Object.keys(object)
  // Only lone surrogates can make two keys one.
  if (names.some(name => needsEscape.test(name)) && new Set(names.map(quote)).size < names.length)
    throw new TypeError('two keys are the same')
  for (const name of names) {
    if (text.length > 1) text += ','
    text += `${quote(name)}:${write(object[name]!, depth + 1)}`
  }
  return `${text}}`
}
