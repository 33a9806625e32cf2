// From the text of a policy file to its tree, and all that is wrong with it in the order of the file.
import type { IToken } from 'chevrotain'
import type { Item, PolicyFile } from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Source, Span } from '../span.ts'
import { type Lexed, lex } from './lexer.ts'
import { endOf } from './nodes.ts'
import { type Header, type Mismatch, parseFile, parseHeader, parseItem } from './parser.ts'
import { type Segment, segmentsOf } from './segments.ts'
import { BRACES, explain, isAftermath, meantBy } from './syntax-errors.ts'
import { findMisleadingText, findTokenErrors, oddCharacters, tell } from './token-errors.ts'
import * as t from './tokens.ts'

export interface ParsedPolicy {
  /** Where there are errors, only the items without any, for what else can be told; undefined where nothing can be read. */
  readonly file: PolicyFile | undefined
  /** A `let` or `targets` could not be read, so that names may only seem to be unknown. */
  readonly lacksNames: boolean
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[]
}

export function parsePolicy(source: Source): ParsedPolicy {
  const lexed = lex(source)
  const odd = lexed.odd.map(({ start, end }) => oddCharacters(source, start, end))
  const told = [...findTokenErrors(source, lexed.tokens), ...odd, ...findMisleadingText(source)]
  const whole = parseFile(source.file, lexed.tokens)
  const parts =
    whole.node === undefined
      ? parseParts(source, lexed, told)
      : { header: whole.node, items: whole.node.items, hasStrays: false, diagnostics: whole.diagnostics }
  const diagnostics = withoutEchoes(source.text, [...told, ...parts.diagnostics])
  const { header } = parts
  if (header === undefined && parts.items.length === 0) return { file: undefined, lacksNames: true, diagnostics }
  const items = soundOf(parts.items, diagnostics)
  const span = { file: source.file, start: 0, end: source.text.length }
  const { name, edition, owner } = header ?? nameless({ ...span, end: 0 })
  const file = { source, span, name, edition, ...(owner !== undefined && { owner }), items, comments: lexed.comments }
  const isNaming = ({ tokenType }: IToken): boolean => tokenType === t.LetToken || tokenType === t.Targets
  const read = items.filter(({ kind }) => kind === 'let' || kind === 'targets').length
  return { file, lacksNames: parts.hasStrays || read < lexed.tokens.filter(isNaming).length, diagnostics }
}

/** Both are in the order of the file. */
function soundOf(items: readonly Item[], diagnostics: readonly Diagnostic[]): readonly Item[] {
  let next = 0
  return items.filter(({ span }) => {
    while (next < diagnostics.length && diagnostics[next]!.span.start < span.start) next++
    return next === diagnostics.length || diagnostics[next]!.span.start >= span.end
  })
}

/** Stands for a header that could not be read, so that the items behind it can be checked. */
const nameless = (span: Span): Header => ({ name: { value: '', quoted: true, span }, edition: { value: 1, span } })

interface Parts {
  readonly header: Header | undefined
  readonly items: readonly Item[]
  /** Something stands where an item begins, and is none. */
  readonly hasStrays: boolean
  readonly diagnostics: readonly Diagnostic[]
}

/** Part by part: an error in one leaves the others alone. */
function parseParts(source: Source, { tokens }: Lexed, told: readonly Diagnostic[]): Parts {
  const items: Item[] = []
  const diagnostics: Diagnostic[] = []
  let header: Header | undefined
  let hasStrays = false
  const add = (errors: readonly Mismatch[], next: IToken | undefined): void => {
    for (const error of errors) {
      if (isAftermath(error)) continue
      const one = explain(source, error, next)
      if (!isToldAlready(source.text, one, told)) diagnostics.push(one)
    }
  }
  const segments = segmentsOf(source.text, tokens)
  const first = segments[0]
  const begins = first?.tokens[0]?.tokenType === t.Policy
  if (!begins) diagnostics.push(noHeader(source, first?.tokens[0]))
  for (const segment of segments) {
    if (segment.kind === 'header' && begins) {
      const { node, errors, diagnostics: more } = parseHeader(source.file, segment.tokens)
      header = node
      // What follows the header, and is no item, is cut with it.
      hasStrays ||= errors.length > 0
      add(errors, segment.next)
      diagnostics.push(...more)
      continue
    }
    const mended = mend(segment, source)
    if (mended.told !== undefined) diagnostics.push(mended.told)
    const { node, errors, diagnostics: more } = parseItem(source.file, mended.tokens)
    hasStrays ||= !t.topLevel.has(mended.tokens[0]!.tokenType)
    if (node !== undefined && mended.told === undefined) items.push(node)
    if (segment.kind === 'item' || t.topLevel.has(mended.tokens[0]!.tokenType)) add(errors, segment.next)
    diagnostics.push(...more)
  }
  return { header, items, hasStrays, diagnostics }
}

function noHeader({ file }: Source, first: IToken | undefined): Diagnostic {
  const start = first?.startOffset ?? 0
  const image = first === undefined ? '' : (/^[^\r\n]{0,60}/.exec(first.image)?.[0] ?? '')
  return tell('syntax', {
    message: `expected \`policy "NAME" edition 1\`, found ${first === undefined ? 'the end of the file' : `\`${image}\``}`,
    span: { file, start, end: start + image.length },
    help: 'each file begins so',
  })
}

/** `permit x {` is told once, and then read as the rule that was meant, for what else is wrong in it. */
function mend(segment: Segment, { file }: Source): { tokens: readonly IToken[]; told?: Diagnostic } {
  const [first, second, third] = segment.tokens
  if (first?.tokenType !== t.Name || third?.tokenType !== t.LeftBrace || second === undefined) return segment
  const meant = meantBy(first.image)
  const type = meant === 'deny' ? t.Deny : meant === 'require' ? t.Require : t.Allow
  const span = { file, start: first.startOffset, end: endOf(first) }
  const told = tell('syntax', {
    message: `expected a \`let\`, \`targets\`, rule or \`test\`, found \`${first.image}\``,
    span,
    ...(meant !== undefined && { help: `did you mean \`${meant}\`?`, fix: { span, text: meant, title: `write \`${meant}\`` } }),
  })
  const read = { ...first, tokenType: type, tokenTypeIdx: type.tokenTypeIdx! }
  return { tokens: [read, ...segment.tokens.slice(1)], told }
}

/** Of a token that is wrong itself, or behind a strange character on the same line, nothing more is said. */
function isToldAlready(text: string, { span }: Diagnostic, told: readonly Diagnostic[]): boolean {
  return told.some(
    one =>
      (span.start >= one.span.start && span.start < one.span.end) ||
      (one.code === 'bad-character' && one.span.start === span.end) ||
      (one.code === 'bad-character' && one.span.start < span.start && !/[\r\n]/.test(text.slice(one.span.start, span.start))),
  )
}

/** Behind a condition without braces, on its line, every operator is strange for this one reason: it is told once. */
function withoutEchoes(text: string, diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const sorted = diagnostics.toSorted((a, b) => a.span.start - b.span.start)
  let quietUntil = -1
  return sorted.filter((one, i) => {
    const before = sorted[i - 1]
    if (before !== undefined && before.span.start === one.span.start && before.code === one.code) return false
    if (one.span.start < quietUntil && (one.code === 'bad-character' || one.code === 'bad-string' || one.code === 'syntax')) return false
    if (one.fix?.title === BRACES)
      quietUntil = one.span.start + /^[^\r\n]*/.exec(text.slice(one.span.start, one.span.start + 10_000))![0].length
    return true
  })
}
