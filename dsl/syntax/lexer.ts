// From text to tokens. Each token that is wrong in itself is told here; the parser never hears of characters that no token has.
import type { ILexingResult, IToken, Lexer } from 'chevrotain'
import type { Comment } from '../ast.ts'
import type { Source } from '../span.ts'
import { kit } from './kit.ts'
import { spanOf } from './nodes.ts'
import { tokens } from './tokens.ts'

let made: Lexer | undefined

/** For tests: throws where two tokens are in each other's way. */
export function validateTokens(): void {
  new kit.Lexer([...tokens], { positionTracking: 'onlyOffset', ensureOptimizations: true })
}

export interface Lexed {
  readonly tokens: readonly IToken[]
  readonly comments: readonly Comment[]
  /** Runs of characters that no token has. */
  readonly odd: readonly { readonly start: number; readonly end: number }[]
}

export function lex(source: Source): Lexed {
  made ??= new kit.Lexer([...tokens], { positionTracking: 'onlyOffset', skipValidations: true })
  const { tokens: found, groups, errors }: ILexingResult = made.tokenize(source.text)
  return {
    tokens: found,
    comments: (groups.comments ?? []).map(token => ({
      text: token.image,
      ownLine: isOwnLine(source.text, token.startOffset),
      span: spanOf(source.file, token),
    })),
    odd: errors.map(({ offset, length }) => ({ start: offset, end: offset + length })),
  }
}

function isOwnLine(text: string, start: number): boolean {
  for (let i = start - 1; i >= 0; i--) {
    const unit = text.charCodeAt(i)
    if (unit === 10 || unit === 13) return true
    if (unit !== 32 && unit !== 9 && !(i === 0 && unit === 0xfeff)) return false
  }
  return true
}
