// MAC addresses: six pairs of hex digits between colons or dashes, or three fours between full stops; no broadcast, no zeros.
import { digits, isAlphanumeric, tableOf } from '../characters.ts'
import type { MarkDetector, Range } from '../detector.ts'

const hex = tableOf(`${digits}abcdefABCDEF`)
const colon = 0x3a
const dash = 0x2d

// Dashes and full stops may lie within a row of digits, which the scan takes as one: it waits for each of the marks.
export const macs: readonly MarkDetector[] = [
  detectorOf(':', 17, 3, [2]),
  detectorOf('-', 17, 3, [2, 5, 8, 11, 14]),
  detectorOf('.', 14, 5, [4, 9]),
]

/** `size` characters, where each `period`th is the mark; the mark found may be at any of the offsets. */
function detectorOf(mark: string, size: number, period: number, offsets: readonly number[]): MarkDetector {
  const code = mark.charCodeAt(0)
  return {
    id: 'mac',
    action: 'replace',
    on: 'mark',
    mark,
    hint: { offset: -1, table: hex },
    find(text, at, floor): Range | undefined {
      for (const offset of offsets) {
        const start = at - offset
        if (start < floor || (start > floor && isJoined(text.charCodeAt(start - 1)))) continue
        const end = start + size
        if (!isJoined(text.charCodeAt(end)) && isAddress(text, start, end, code, period)) return { start, end }
      }
      return undefined
    },
  }
}

function isAddress(text: string, start: number, end: number, mark: number, period: number): boolean {
  let isPlain = true
  let hasLetter = false
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if ((i - start) % period === period - 1) {
      if (code !== mark) return false
    } else {
      if (hex[code] !== 1) return false
      if (code > 0x39) hasLetter = true
      if (code !== 0x30 && (code | 0x20) !== 0x66) isPlain = false
    }
  }
  // Digits alone are a date or a time, or a number in fours.
  return !isPlain && (hasLetter || mark === colon)
}

function isJoined(code: number): boolean {
  return isAlphanumeric(code) || code === colon || code === dash
}
