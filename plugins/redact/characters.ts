// Character classes for the scan: one table look-up per ASCII character.

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

export function isCapital(code: number): boolean {
  return code >= 65 && code <= 90
}

/** ASCII letter or digit. False for NaN, what `charCodeAt` gives outside a text. */
export function isAlphanumeric(code: number): boolean {
  return (code >= 97 && code <= 122) || isDigit(code) || isCapital(code)
}

/** ASCII only: a membership table for the characters of `members`. */
export function tableOf(members: string): Uint8Array {
  const table = new Uint8Array(128)
  for (let i = 0; i < members.length; i++) table[members.charCodeAt(i)] = 1
  return table
}

export const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const digits = '0123456789'

/** Offset after the characters of `table` that follow `from`. */
export function spanOf(text: string, from: number, table: Uint8Array): number {
  let i = from
  while (i < text.length && table[text.charCodeAt(i)] === 1) i++
  return i
}
