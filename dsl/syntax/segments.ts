// Cuts the tokens of a file with errors into its header and items, so that what is wrong in one says nothing about the next.
import type { IToken } from 'chevrotain'
import * as t from './tokens.ts'

export interface Segment {
  readonly kind: 'header' | 'item'
  readonly tokens: readonly IToken[]
  /** What stands behind it; absent at the end of the file. */
  readonly next: IToken | undefined
}

const takesName: ReadonlySet<unknown> = new Set([t.Allow, t.Deny, t.Require, t.LetToken, t.Targets, t.AtSign, t.TestToken])
const names: ReadonlySet<unknown> = new Set([...t.keywords, t.Name, t.Str, t.BadStr, t.BadTarget, t.Target, t.BadNumeral])

export function segmentsOf(text: string, tokens: readonly IToken[]): Segment[] {
  const starts: number[] = []
  let depth = 0
  for (let i = 0; i < tokens.length; i++) {
    if (begins(text, tokens, i, depth)) {
      starts.push(i)
      depth = 0
    }
    const type = tokens[i]!.tokenType
    if (type === t.LeftBrace) depth++
    else if (type === t.RightBrace) depth = Math.max(0, depth - 1)
  }
  if (tokens.length > 0 && starts[0] !== 0) starts.unshift(0)
  return starts.map((start, i) => ({
    kind: i === 0 ? 'header' : 'item',
    tokens: tokens.slice(start, starts[i + 1]),
    next: starts[i + 1] === undefined ? undefined : tokens[starts[i + 1]!],
  }))
}

function begins(text: string, tokens: readonly IToken[], i: number, depth: number): boolean {
  const [before, here] = [tokens[i - 1], tokens[i]!]
  if (before === undefined) return true
  if (depth === 0) {
    if (before.tokenType === t.RightBrace) return true
    if (!t.topLevel.has(here.tokenType)) return isUnknownRule(text, tokens, i)
    if (before.tokenType === t.Shadow) return !t.effects.has(here.tokenType)
    return !takesName.has(before.tokenType)
  }
  if (!t.topLevel.has(here.tokenType) || lineBefore(text, here).trim() !== '') return false
  // Inside of braces that nobody closed. In column 1 the word alone is enough, else it must go on as an item does.
  const next = tokens[i + 1]?.tokenType
  if (next === undefined) return false
  if (lineBefore(text, here) === '') return here.tokenType === t.Shadow ? t.effects.has(next) : names.has(next)
  const after = tokens[i + 2]?.tokenType
  if (here.tokenType === t.Shadow) return t.effects.has(next)
  return names.has(next) && (after === t.LeftBrace || (after === t.Equals && !t.effects.has(here.tokenType)))
}

/** A word that is none of ours, at the start of a line, and then `NAME {`. */
function isUnknownRule(text: string, tokens: readonly IToken[], i: number): boolean {
  return (
    tokens[i]!.tokenType === t.Name &&
    lineBefore(text, tokens[i]!).trim() === '' &&
    names.has(tokens[i + 1]?.tokenType) &&
    tokens[i + 2]?.tokenType === t.LeftBrace
  )
}

function lineBefore(text: string, { startOffset }: IToken): string {
  let from = startOffset
  while (from > 0 && text[from - 1] !== '\n' && text[from - 1] !== '\r') from--
  return text.slice(from, startOffset).replace(/^\uFEFF/, '')
}
