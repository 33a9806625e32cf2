// From text to tree with the CEL package's parser; what it refuses is told with our words and places in the file.
import { Environment } from 'cel-js'
import type { CelSlice } from '../ast.ts'
import { catalogue, type DiagnosticCode } from '../diagnostics/catalogue.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Span } from '../span.ts'
import { mistakeOf } from './mistakes.ts'
import type { CelNode } from './node.ts'

export const maxNodes = 2_000
const maxText = 32_768

const grammar = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxDepth: 64, maxAstNodes: maxNodes, maxListElements: 1_000, maxMapEntries: 1_000 },
})

export function finding(code: DiagnosticCode, span: Span, message: string, help?: string): Diagnostic {
  const base = { code, severity: catalogue[code].severity, message, span }
  return help === undefined ? base : { ...base, help }
}

export function within(slice: CelSlice, start: number, end: number): Span {
  const at = Math.min(start, slice.text.length)
  return { file: slice.span.file, start: slice.span.start + at, end: slice.span.start + Math.max(at, Math.min(end, slice.text.length)) }
}

export function parseSlice(slice: CelSlice): CelNode | Diagnostic {
  if (slice.text.length > maxText) {
    return finding('cel-budget', slice.span, `a condition of ${slice.text.length} characters; at most ${maxText} are allowed`)
  }
  try {
    return grammar.parse(slice.text).ast
  } catch (error) {
    return refusal(slice, error)
  }
}

interface Refused {
  readonly code?: unknown
  readonly range?: { readonly start: number; readonly end: number } | undefined
  readonly summary?: unknown
}

function refusal(slice: CelSlice, error: unknown): Diagnostic {
  // A parser that ran out of stack has been given something too deep.
  if (error instanceof RangeError) return finding('cel-budget', slice.span, 'a condition that is nested too deeply')
  const { code, range, summary } = error as Refused
  const span = range === undefined ? slice.span : within(slice, range.start, Math.max(range.end, range.start + 1))
  if (code === 'limit_exceeded') return finding('cel-budget', slice.span, `a condition that is too large: ${limitOf(summary)}`)
  const found = slice.text.slice(span.start - slice.span.start, span.end - slice.span.start)
  const mistake = mistakeOf(slice.text, span.start - slice.span.start)
  const known = mistake ?? { message: described(code, found, summary), help: undefined }
  return finding('cel-syntax', span, known.message, known.help)
}

function limitOf(summary: unknown): string {
  if (String(summary).includes('maxDepth')) return 'nested more than 64 deep'
  return String(summary).includes('maxAstNodes') ? `more than ${maxNodes} parts` : 'a list, map or call with too many parts'
}

const names: Readonly<Record<string, string>> = { RPAREN: '`)`', RBRACKET: '`]`', RBRACE: '`}`', COLON: '`:`', IDENTIFIER: 'a name' }

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 40 ? `${line.slice(0, 40)}...` : line
}

function described(code: unknown, found: string, summary: unknown): string {
  const there = found.trim() === '' ? 'the end of the condition' : `\`${oneLine(found)}\``
  switch (code) {
    case 'expected_token': {
      const token = /^Expected (\w+)/.exec(String(summary))?.[1] ?? ''
      return `expected ${names[token] ?? 'something else'}, found ${there}`
    }
    case 'unexpected_token':
      return `expected a value, found ${there}`
    case 'unexpected_character':
      return `expected an operator or the end of the condition, found ${there}`
    case 'reserved_identifier':
      return `${there} is a word that CEL keeps for itself`
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
    case 'newline_in_string':
      return 'expected the closing quote of a string'
    case 'invalid_macro_argument':
      return `expected a name for what is walked over, found ${there}`
    default:
      return `${there} is not what CEL expects here: ${(typeof code === 'string' ? code : 'unreadable').replaceAll('_', ' ')}`
  }
}
