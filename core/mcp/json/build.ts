// Builds the frozen tree of plain values from text that passed the scan; numbers that JavaScript would change stay text.
import { ExactNumber, type JsonValue } from '../../plugin/index.ts'

/** Invariant: `text` is valid, without duplicate keys, and nested no deeper than the scan allows, so that recursion is bounded. */
export function buildValue(text: string): JsonValue {
  at = 0
  source = text
  nextEscape = text.indexOf('\\')
  const value = build()
  source = ''
  return value
}

let source = ''
let at = 0
// Offset of the first backslash at or after `at`, -1 where there is none.
let nextEscape = -1

function build(): JsonValue {
  skipSpace()
  switch (source.charCodeAt(at)) {
    case 0x7b:
      return buildObject()
    case 0x5b:
      return buildArray()
    case 0x22:
      return buildString()
    case 0x74:
      at += 4
      return true
    case 0x66:
      at += 5
      return false
    case 0x6e:
      at += 4
      return null
    default:
      return buildNumber()
  }
}

function buildObject(): JsonValue {
  // Not Object.create(null), which V8 makes a hash table: objects of one shape are three times as fast to fill and freeze this way.
  const object: Record<string, JsonValue> = Object.setPrototypeOf({}, null)
  at++
  skipSpace()
  while (source.charCodeAt(at) !== 0x7d) {
    const key = buildString()
    skipSpace()
    at++
    object[key] = build()
    skipSeparator()
  }
  at++
  return Object.freeze(object)
}

function buildArray(): JsonValue {
  const array: JsonValue[] = []
  at++
  skipSpace()
  while (source.charCodeAt(at) !== 0x5d) {
    array.push(build())
    skipSeparator()
  }
  at++
  return Object.freeze(array)
}

function buildString(): string {
  const start = at + 1
  let end = source.indexOf('"', start)
  if (nextEscape >= 0 && nextEscape < start) nextEscape = source.indexOf('\\', start)
  if (nextEscape < 0 || nextEscape > end) {
    at = end + 1
    return source.slice(start, end)
  }
  while (isEscaped(end)) end = source.indexOf('"', end + 1)
  at = end + 1
  return JSON.parse(source.slice(start - 1, at)) as string
}

/** Whether an odd number of backslashes stands before it; what begins the string is none. */
function isEscaped(quote: number): boolean {
  let before = quote
  while (source.charCodeAt(before - 1) === 0x5c) before--
  return (quote - before) % 2 === 1
}

/** A number is plain where JavaScript prints it as it was written: `String(Number(text)) === text`. All others are an ExactNumber. */
function buildNumber(): number | ExactNumber {
  const start = at
  let integer = 0
  let code = source.charCodeAt(at)
  while (code >= 0x30 && code <= 0x39) {
    integer = integer * 10 + code - 0x30
    code = source.charCodeAt(++at)
  }
  if (at > start && at - start <= 15 && !continuesNumber(code)) return integer
  while (continuesNumber(code)) code = source.charCodeAt(++at)
  const text = source.slice(start, at)
  const number = Number(text)
  return String(number) === text ? number : new ExactNumber(text)
}

function continuesNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2d || code === 0x2b || code === 0x65 || code === 0x45
}

function skipSeparator(): void {
  skipSpace()
  if (source.charCodeAt(at) !== 0x2c) return
  at++
  skipSpace()
}

function skipSpace(): void {
  while (source.charCodeAt(at) <= 0x20) at++
}
