// What an escape in raw JSON text may hide: questions of the screen, which does not decode.
import { isAlphanumeric } from './characters.ts'
import { isDisguise } from './fold.ts'

// How far before an `@` its user name or password may begin.
const escapeReach = 256

/** Whether what stands directly before an `@` begins in an escape that a user name, a password or its `://` may contain. */
export function touchesFloor(text: string, at: number, floor: number): boolean {
  if (floor === 0 || at - floor > escapeReach) return false
  for (let i = at - 1; i >= floor; i--) {
    const unit = text.charCodeAt(i)
    if (unit <= 0x20 || unit === 0x22 || unit === 0x40) return false
  }
  const escaped = text.charCodeAt(floor - 2) === 0x5c ? text[floor - 1] : 'u'
  return escaped === 'u' || escaped === '\\' || escaped === '/'
}

/** Whether a domain from here on goes into an escape: many serialisers write each letter beyond ASCII as one. */
export function meetsEscape(text: string, from: number): boolean {
  const limit = Math.min(text.length - 1, from + escapeReach)
  for (let i = from; i < limit; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x5c) return text.charCodeAt(i + 1) === 0x75
    if (!isAlphanumeric(unit) && unit !== 0x2d && unit !== 0x2e && unit < 0x80) return false
  }
  return false
}

/** Whether an escaped character may be part of a value, so that the escape hides it. Delimiters and controls may not. */
export function hides(code: number): boolean {
  if (code > 127) return isDisguise(code, 0x30)
  return (
    isAlphanumeric(code) ||
    (code > 0x2a && code < 0x30) ||
    code === 0x20 ||
    code === 0x3a ||
    code === 0x3d ||
    code === 0x40 ||
    code === 0x5f
  )
}
