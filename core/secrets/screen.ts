// Tells in one pass whether any of many byte strings occurs (Wu and Manber's method): the cost hardly grows with their number.

/** True where one of the patterns occurs in `bytes`. */
export type Screen = (bytes: Uint8Array) => boolean

/** Every pattern has at least two bytes. */
export function compileScreen(patterns: readonly Uint8Array[]): Screen {
  if (patterns.length === 0) return () => false
  const width = Math.min(...patterns.map(pattern => pattern.length))
  // shift[pair]: how far the window may move when it ends with this pair of bytes; 0 where some pattern's window ends so.
  const shift = new Uint8Array(65_536).fill(Math.min(width - 1, 255))
  const endings = new Map<number, Uint8Array[]>()
  for (const pattern of patterns) {
    for (let at = 0; at < width - 1; at++) {
      const pair = (pattern[at]! << 8) | pattern[at + 1]!
      shift[pair] = Math.min(shift[pair]!, width - 2 - at)
    }
    const last = (pattern[width - 2]! << 8) | pattern[width - 1]!
    endings.set(last, [...(endings.get(last) ?? []), pattern])
  }

  return bytes => {
    const end = bytes.length - 1
    let at = width - 2
    while (at < end) {
      const pair = (bytes[at]! << 8) | bytes[at + 1]!
      const step = shift[pair]!
      if (step > 0) {
        at += step
        continue
      }
      const start = at - (width - 2)
      for (const pattern of endings.get(pair)!) if (stands(pattern, bytes, start)) return true
      at++
    }
    return false
  }
}

function stands(pattern: Uint8Array, bytes: Uint8Array, start: number): boolean {
  if (start + pattern.length > bytes.length) return false
  for (let i = 0; i < pattern.length; i++) if (bytes[start + i] !== pattern[i]) return false
  return true
}
