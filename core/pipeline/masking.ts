// Proves that a masker only masked: leaves are replaced, members are renamed or removed, and nothing is added.
import { ExactNumber, type JsonObject, type JsonValue } from '../plugin/index.ts'

/** True where `after` is `before` with text and numbers replaced, whole parts withheld, and nothing new. */
export function masksOnly(before: JsonValue, after: JsonValue): boolean {
  if (before === after) return true
  if (Array.isArray(before)) return Array.isArray(after) ? embeds(before, after) : isWithheld(after)
  if (isObject(before)) return isObject(after) ? masksMembers(before, after) : isWithheld(after)
  if (isContainer(after)) return false
  // A truth value or null may be hidden, never turned round.
  return typeof before === 'string' || isNumber(before) ? typeof after !== 'boolean' : typeof after === 'string'
}

function masksMembers(before: JsonObject, after: JsonObject): boolean {
  const gone: JsonValue[] = []
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) gone.push(before[key]!)
  const renamed: JsonValue[] = []
  for (const key of Object.keys(after)) {
    const value = after[key]!
    if (!Object.hasOwn(before, key)) renamed.push(value)
    else if (!masksOnly(before[key]!, value)) return false
  }
  return embeds(gone, renamed)
}

/** Each of `after` masks one of `before`, in order. */
function embeds(before: readonly JsonValue[], after: readonly JsonValue[]): boolean {
  if (after.length > before.length) return false
  let from = 0
  for (const [i, value] of after.entries()) {
    // As many of `before` must be left as are still to be found.
    const last = before.length - (after.length - i)
    while (from <= last && !masksOnly(before[from]!, value)) from++
    if (from > last) return false
    from++
  }
  return true
}

export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  if (a instanceof ExactNumber || b instanceof ExactNumber) return a instanceof ExactNumber && b instanceof ExactNumber && a.text === b.text
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((value, i) => sameJson(value, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}

function isContainer(value: JsonValue): boolean {
  return Array.isArray(value) || isObject(value)
}

function isNumber(value: JsonValue): boolean {
  return typeof value === 'number' || value instanceof ExactNumber
}

/** What may stand where an object or array stood. */
function isWithheld(value: JsonValue): boolean {
  return typeof value === 'string' || value === null
}
