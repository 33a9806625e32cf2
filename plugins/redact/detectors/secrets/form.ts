// Secrets that announce themselves: a literal prefix, then the characters and the length that its issuer uses, and enough chance in them.
import { digits, isAlphanumeric, letters, spanOf, tableOf } from '../../characters.ts'
import type { PrefixDetector } from '../../detector.ts'

export const alphabets: Readonly<Record<string, Uint8Array>> = {
  alphanumeric: tableOf(letters + digits),
  capitals: tableOf(letters.slice(26) + digits),
  hex: tableOf(`${digits}abcdefABCDEF`),
  word: tableOf(`${letters}${digits}_`),
  dashed: tableOf(`${letters}${digits}-`),
  url: tableOf(`${letters}${digits}_-`),
  dotted: tableOf(`${letters}${digits}_-.`),
  base64: tableOf(`${letters}${digits}+/=`),
  token68: tableOf(`${letters}${digits}-._~+/=`),
}

export interface Form {
  readonly id: string
  readonly prefixes: readonly string[]
  readonly body: keyof typeof alphabets
  /** Characters after the prefix; `most` where there is an upper limit. */
  readonly least: number
  readonly most?: number
  /** The last word on the whole value, prefix included. */
  readonly check?: (value: string) => boolean
  /** The prefix stays: it is no part of the secret. */
  readonly keepsPrefix?: true
}

export function toDetector({ id, prefixes, body, least, most = Number.POSITIVE_INFINITY, check, keepsPrefix }: Form): PrefixDetector {
  const table = alphabets[body]!
  return {
    id,
    action: 'replace',
    on: 'prefix',
    prefixes,
    body: table,
    find(text, at, from) {
      const end = endOf(text, from, table)
      const size = end - from
      if (size < least || size > most || isAlphanumeric(text.charCodeAt(end))) return undefined
      if (!isRandom(text, from, end)) return undefined
      return (check?.(text.slice(at, end)) ?? true) ? { start: keepsPrefix ? from : at, end } : undefined
    },
  }
}

/** A full stop after a value belongs to the sentence. */
export function endOf(text: string, from: number, body: Uint8Array): number {
  let end = spanOf(text, from, body)
  while (end > from && text.charCodeAt(end - 1) === 0x2e) end--
  return end
}

const sample = 128
const leastBits = 2.5
const counts = new Uint8Array(128)

/** Whether ASCII characters are as mixed as those of a key: 2.5 bits of entropy each. `xxxxxxxx` and `00000000` are not. */
export function isRandom(text: string, from: number, end: number): boolean {
  const to = Math.min(end, from + sample)
  counts.fill(0)
  for (let i = from; i < to; i++) counts[text.charCodeAt(i)]!++
  let bits = 0
  for (const count of counts) if (count > 0) bits -= (count / (to - from)) * Math.log2(count / (to - from))
  return bits >= leastBits
}

export function hasDigit(value: string): boolean {
  return /\d/.test(value)
}
