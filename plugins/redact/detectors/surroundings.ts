// Whether digits stand on their own, or belong to an identifier, a fraction or a UUID.
import { isAlphanumeric, isDigit } from '../characters.ts'

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const uuidLength = 36
// 0.4111111111111111 and 122.41111111111111 are measurements; digits, a full stop and more digits in the like number are two values.
const fraction = /(?:^|\D)\d{1,8}\.$/
const longestWhole = 9

/** True where neither a letter, a decimal point nor a further dashed group of digits adjoins, and no UUID contains it. */
export function isFree(text: string, start: number, end: number, floor: number): boolean {
  const after = text.charCodeAt(end)
  if (isAlphanumeric(after) || (after === 0x2d && isDigit(text.charCodeAt(end + 1)))) return false
  if (start === floor) return !(after === 0x2d && isInUuid(text, start, end))
  const before = text.charCodeAt(start - 1)
  if (isAlphanumeric(before)) return false
  if (before === 0x2d && start - 1 > floor && isDigit(text.charCodeAt(start - 2))) return false
  if (before === 0x2e && fraction.test(text.slice(Math.max(floor, start - 1 - longestWhole), start))) return false
  return !((before === 0x2d || after === 0x2d) && isInUuid(text, start, end))
}

function isInUuid(text: string, start: number, end: number): boolean {
  const from = Math.max(0, start - uuidLength)
  for (const match of text.slice(from, end + uuidLength).matchAll(uuid)) {
    const at = from + match.index
    if (at <= start && at + uuidLength >= end) return true
  }
  return false
}
