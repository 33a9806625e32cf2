// Seeded chance, so that a failing case comes back.

export interface Chance {
  /** A whole number from 0, below `limit`. */
  below(limit: number): number
  /** `low` to `high`, both included. */
  between(low: number, high: number): number
  from<T>(choices: readonly T[]): T
  /** `length` characters of an alphabet. */
  text(alphabet: string, length: number): string
  digits(length: number): string
}

export const alphabet = {
  digits: '0123456789',
  hex: '0123456789abcdef',
  capitals: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  alphanumeric: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  url: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_',
  base64: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/',
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
} as const

/** Mulberry32. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
  const text = (characters: string, length: number): string => Array.from({ length }, () => characters[below(characters.length)]).join('')
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    from: choices => choices[below(choices.length)]!,
    text,
    digits: length => text(alphabet.digits, length),
  }
}
