// Nodes of the tree that stand for one token each.
import type { IToken } from 'chevrotain'
import type { CalendarDate, CelSlice, Duration, JsonSlice, Numeral, Target, Word } from '../ast.ts'
import type { Span } from '../span.ts'
import { readJson } from './json.ts'
import { BadStr, BadTarget, Str } from './tokens.ts'

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 }

/** `endOffset` of the kit is inclusive, and absent where only offsets are tracked: the image tells the end. */
export const endOf = (token: IToken): number => token.startOffset + token.image.length

export function spanOf(file: string, token: IToken, last: IToken = token): Span {
  return { file, start: token.startOffset, end: Math.max(endOf(token), endOf(last)) }
}

export function wordOf(file: string, token: IToken): Word {
  const quoted = token.tokenType === Str || token.tokenType === BadStr
  const value = quoted ? decode(token.image, token.tokenType === Str) : token.image
  return { value, quoted, span: spanOf(file, token) }
}

/** Empty where the text is broken, which is told elsewhere. */
const decode = (image: string, isSound: boolean): string =>
  !isSound ? '' : image.includes('\\') ? (JSON.parse(image) as string) : image.slice(1, -1)

export function numeralOf(file: string, token: IToken): Numeral {
  return { value: Number(token.image), span: spanOf(file, token) }
}

export function durationOf(file: string, token: IToken): Duration {
  return { text: token.image, ms: millisecondsOf(token.image), span: spanOf(file, token) }
}

export function millisecondsOf(text: string): number {
  let ms = 0
  for (const [, count, unit] of text.matchAll(/(\d+)([dhms])/g)) ms += Number(count) * UNITS[unit!]!
  return ms
}

export function dateOf(file: string, token: IToken): CalendarDate {
  return { text: token.image, span: spanOf(file, token) }
}

/** Whether the calendar has it. */
export function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

export function patternOf(file: string, token: IToken): Target {
  const slash = token.image.indexOf('/')
  const server = token.image.slice(0, slash)
  const name = token.image.slice(slash + 1)
  const quoted = name.startsWith('"')
  return { kind: 'pattern', server, name: quoted ? decode(name, token.tokenType !== BadTarget) : name, quoted, span: spanOf(file, token) }
}

/** Between the braces, without the white space at both ends. */
export function celOf(file: string, token: IToken): CelSlice {
  const inside = token.image.slice(1, isClosed(token) ? -1 : undefined)
  const text = inside.trim()
  const start = token.startOffset + 1 + (inside.length - inside.trimStart().length)
  return { text, span: { file, start, end: start + text.length } }
}

export function isClosed(token: IToken): boolean {
  return (token.payload as { readonly closed: boolean }).closed
}

/** One with an error is null; the error is told elsewhere. */
export function jsonOf(file: string, token: IToken): JsonSlice {
  const result = readJson(token.image)
  return { text: token.image, value: 'value' in result ? result.value : null, span: spanOf(file, token) }
}
