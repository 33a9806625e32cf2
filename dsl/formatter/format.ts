// The one layout of a policy file. It moves words and comments and drops none: every token of the file is written again, in its order.
import type { IToken } from 'chevrotain'
import type { Comment, PolicyFile } from '../ast.ts'
import { lex } from '../syntax/lexer.ts'
import { endOf } from '../syntax/nodes.ts'
import { findCelEnd } from '../syntax/slices.ts'
import * as t from '../syntax/tokens.ts'
import { type Place, placesOf } from './layout.ts'

const WIDTH = 100

/** Of a file without errors. */
export function formatPolicy(file: PolicyFile): string {
  const { tokens } = lex(file.source)
  return new Printer(file, placesOf(file, tokens)).print(tokens)
}

class Printer {
  readonly text: string
  readonly places: ReadonlyMap<number, Place>
  readonly comments: readonly Comment[]
  readonly lines: string[] = []
  line = ''
  /** What is kept together: from one comma to the next. */
  piece = ''
  place: Place = { kind: 'header', indent: 0, pad: 0 }
  /** Whether something of the place stands on a line already. */
  hasBegun = false
  parens = 0
  previous: IToken | undefined
  /** Where the last token or comment ended in the source. */
  end = 0
  /** What the last line at the margin was. */
  above: Place['kind'] | 'comment' | undefined

  constructor(file: PolicyFile, places: ReadonlyMap<number, Place>) {
    this.text = file.source.text
    this.places = places
    this.comments = file.comments
  }

  print(tokens: readonly IToken[]): string {
    let next = 0
    for (const token of tokens) {
      for (; next < this.comments.length && this.comments[next]!.span.start < token.startOffset; next++)
        this.comment(this.comments[next]!, this.places.get(token.startOffset))
      this.token(token)
    }
    for (; next < this.comments.length; next++) this.comment(this.comments[next]!, { kind: 'header', indent: 0, pad: 0 })
    this.endLine()
    return `${this.lines.join('\n')}\n`
  }

  token(token: IToken): void {
    const place = this.places.get(token.startOffset)
    const text = written(token)
    if (place !== undefined) {
      this.endLine()
      if (place.indent === 0 && place.kind !== 'close') this.blankBefore(token.startOffset, place.kind)
      this.place = place
      this.parens = 0
      this.hasBegun = place.pad > 0
      this.line = ' '.repeat(place.indent) + (place.pad === 0 ? '' : text.padEnd(place.pad))
      this.piece = place.pad === 0 ? text : ''
    } else {
      this.piece += (this.piece === '' ? '' : gap(this.previous!, token)) + text
      if (token.tokenType === t.LeftParen) this.parens++
      else if (token.tokenType === t.RightParen) this.parens--
      else if (token.tokenType === t.Comma && this.parens === 0) this.endPiece()
    }
    this.previous = token
    this.end = endOf(token)
  }

  /** `at`: the place of the token behind it, where that begins a line. */
  comment({ text, ownLine, span }: Comment, at: Place | undefined): void {
    if (ownLine) {
      this.endLine()
      const isMargin = at?.indent === 0 && at.kind !== 'close'
      if (isMargin) this.blankBefore(span.start, 'comment')
      const indent = isMargin ? 0 : at === undefined ? this.continuation() : 2
      this.lines.push(' '.repeat(indent) + text.trimEnd())
    } else {
      this.endPiece()
      this.line = `${this.line.trimEnd()} ${text.trimEnd()}`
      this.endLine()
    }
    this.end = span.end
  }

  continuation(): number {
    return this.place.pad === 0 ? 2 : this.place.indent + this.place.pad
  }

  endPiece(): void {
    const { piece } = this
    this.piece = ''
    if (piece === '') return
    // Where the line ends with white space, only its margin or its first word is written.
    if (this.line !== '' && !this.line.endsWith(' ') && this.line.length + 1 + piece.length > WIDTH) this.endLine()
    if (this.line === '' && this.place.kind !== 'close') this.line = ' '.repeat(this.hasBegun ? this.continuation() : this.place.indent)
    this.line += (this.line === '' || this.line.endsWith(' ') ? '' : ' ') + piece
    this.hasBegun = true
  }

  endLine(): void {
    this.endPiece()
    if (this.line.trim() !== '') this.lines.push(this.line.trimEnd())
    this.line = ''
  }

  blankBefore(start: number, kind: Place['kind'] | 'comment'): void {
    const { above } = this
    this.above = kind
    if (above === undefined) return
    const isBlock = (one: string): boolean => one === 'rule' || one === 'test' || one === 'header'
    const isApart = above !== 'comment' && (isBlock(above) || isBlock(kind))
    if (isApart || isBlank(this.text.slice(this.end, start))) this.lines.push('')
  }
}

/** An empty line somewhere in it. */
const isBlank = (space: string): boolean => (space.match(/\r\n|\n|\r/g)?.length ?? 0) > 1

function gap(before: IToken, token: IToken): string {
  if (before.tokenType === t.AtSign || before.tokenType === t.LeftParen) return ''
  if ([t.Comma, t.Colon, t.LeftParen, t.RightParen].includes(token.tokenType)) return ''
  // Only in `at "..."  from "..."`: elsewhere a `from` is no neighbour of a text.
  return token.tokenType === t.From && before.tokenType === t.Str ? '  ' : ' '
}

function written(token: IToken): string {
  if (token.tokenType !== t.Cel) return token.image
  const text = token.image.slice(1, -1).trim()
  const line = `{ ${text} }`
  // A comment at its end would take the brace with it.
  return findCelEnd(line, 0).closed ? line : `{ ${text}\n  }`
}
