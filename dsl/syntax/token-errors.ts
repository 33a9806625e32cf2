// What is wrong with one token by itself: a string, a number, a target, a `{...}`, or characters that no token has.
import type { IToken } from 'chevrotain'
import type { DiagnosticCode } from '../diagnostics/catalogue.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Source, Span } from '../span.ts'
import { readJson } from './json.ts'
import { endOf, isClosed, isDay, millisecondsOf, spanOf } from './nodes.ts'
import { isEmptyCel } from './slices.ts'
import * as t from './tokens.ts'

export type Told = Pick<Diagnostic, 'message' | 'span'> & Partial<Pick<Diagnostic, 'help' | 'fix'>>

export const tell = (code: DiagnosticCode, told: Told): Diagnostic => ({ code, severity: 'error', ...told })

export function findTokenErrors({ file, text }: Source, tokens: readonly IToken[]): Diagnostic[] {
  const found: Diagnostic[] = []
  let previous: IToken | undefined
  for (const token of tokens) {
    const find = finders.get(token.tokenType)
    const error = find?.(token, spanOf(file, token), previous, text)
    if (error !== undefined) found.push(error)
    previous = token
  }
  return found
}

type Finder = (token: IToken, span: Span, previous: IToken | undefined, text: string) => Diagnostic | undefined

const finders: ReadonlyMap<unknown, Finder> = new Map<unknown, Finder>([
  [t.BadStr, (token, span) => tell('bad-string', { ...stringError(token.image), ...inDoubleQuotes(token.image, span), span })],
  [t.BadTarget, (token, span) => targetError(token.image, span)],
  [t.BadNumeral, (token, span, previous) => numeralError(token.image, span, previous?.tokenType)],
  [
    t.DateToken,
    (token, span) =>
      isDay(token.image) ? undefined : tell('bad-date', { message: `expected a day of the calendar, found \`${token.image}\``, span }),
  ],
  [
    t.DurationToken,
    (token, span, previous) => {
      const ms = millisecondsOf(token.image)
      if (ms > 0 && ms <= MAX_DURATION_MS) return undefined
      if (ms === 0 && previous?.tokenType === t.Ago) return undefined
      const message = `expected a duration ${ms === 0 ? 'longer than nothing' : 'of at most 36500 days'}, found \`${token.image}\``
      return tell('bad-duration', { message, span })
    },
  ],
  [
    t.Int,
    (token, span) =>
      Number.isSafeInteger(Number(token.image))
        ? undefined
        : tell('syntax', { message: `expected a whole number of at most ${Number.MAX_SAFE_INTEGER}, found \`${token.image}\``, span }),
  ],
  [t.Cel, (token, span) => celError(token, span)],
  [t.JsonToken, (token, span, _, text) => jsonError(token, span, text)],
])
const MAX_DURATION_MS = 36_500 * 86_400_000

function stringError(image: string): { message: string; help?: string } {
  const body = image.slice(1)
  if (!/^(?:[^"\\]|\\.)*"$/.test(body))
    return {
      message: 'expected `"` at the end of a text, found the end of the line',
      help: 'a text ends on its line; `\\n` stands for a line break',
    }
  const pattern = /(?:[^\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*?(\\(?:u.{0,4}|.))/y
  for (pattern.lastIndex = 0; ; ) {
    const bad = pattern.exec(body)?.[1]
    if (bad === undefined) break
    if (/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})$/.test(bad)) continue
    return {
      message: `expected an escape of JSON, found \`${bad.startsWith('\\u') ? bad.replace(/".*$/, '') : bad}\``,
      help: '`\\\\` stands for one backslash',
    }
  }
  return { message: 'expected a text, found a control character in it', help: 'write it as an escape, like `\\t`' }
}

/** Where the quotes alone are wrong. */
function inDoubleQuotes(image: string, span: Span): Partial<Told> {
  if (!image.startsWith("'")) return {}
  const text = asString(image.slice(1, -1))
  return {
    message: `expected a text in double quotes, found \`${image}\``,
    help: `write \`${text}\``,
    fix: { span, text, title: 'put it into double quotes' },
  }
}

const asString = (text: string): string => JSON.stringify(text)

function targetError(image: string, span: Span): Diagnostic {
  const slash = image.indexOf('/')
  const server = image.slice(0, slash)
  const name = image.slice(slash + 1)
  if (slash < 0)
    return tell('syntax', {
      message: `expected a target like \`crm/get_*\`, found \`${image}\``,
      span,
      help: `a target names a server and what it has, with \`/\` between them, like \`crm/${image}\` or \`*/${image}\``,
    })
  if (name === '')
    return tell('syntax', { message: `expected a name after \`${image}\`, found none`, span, help: `\`${image}*\` stands for all` })
  if (name.startsWith('"')) return tell('bad-string', { ...stringError(name), span: { ...span, start: span.start + slash + 1 } })
  const better = `${server}/${asString(name.replace(/^'(.*)'$/, '$1').replaceAll(/["\\]/g, ''))}`
  return tell('syntax', {
    message: `expected a target like \`crm/get_*\`, found \`${image}\``,
    span,
    help: `a name with other characters than letters, digits, \`_\`, \`.\`, \`-\` and \`*\` stands in quotes: \`${better}\``,
    fix: { span, text: better, title: 'put the name into quotes' },
  })
}

const nameComesNext: ReadonlySet<unknown> = new Set([
  t.Role,
  t.Agent,
  t.Tenant,
  t.Allow,
  t.Deny,
  t.Require,
  t.AtSign,
  t.LetToken,
  t.Targets,
  t.By,
  t.With,
  t.Then,
])

function numeralError(image: string, span: Span, previous: unknown): Diagnostic {
  const found = `found \`${image}\``
  if (nameComesNext.has(previous))
    return tell('syntax', {
      message: `expected a name, ${found}`,
      span,
      help: `a name that begins with a digit stands in quotes: \`${asString(image)}\``,
      fix: { span, text: asString(image), title: 'put the name into quotes' },
    })
  const isDate = previous === t.Expires || (/^\d+[-.]\d+[-.]/.test(image) && previous !== t.Within && previous !== t.Ago)
  if (isDate)
    return tell('bad-date', {
      message: `expected a date like \`2027-03-31\`, ${found}`,
      span,
      help: 'a date is year, month and day, with two digits for month and day',
    })
  if (previous === t.Within || previous === t.Ago || /^\d[\d.]*[a-zA-Z]/.test(image))
    return tell('bad-duration', {
      message: `expected a duration like \`15m\`, ${found}`,
      span,
      help: 'a duration is whole days, hours, minutes and seconds in this order: `7d`, `1h30m`, `90s`',
    })
  return tell('syntax', { message: `expected a whole number, ${found}`, span })
}

function celError(token: IToken, span: Span): Diagnostic | undefined {
  const open = { ...span, end: span.start + 1 }
  if (!isClosed(token))
    return tell('unclosed-slice', {
      message: 'expected `}` at the end of the condition, found none',
      span: open,
      help: 'the condition that begins here is never closed',
    })
  if (!isEmptyCel(token.image.slice(1, -1))) return undefined
  return tell('empty-condition', {
    message: 'expected a condition between the braces, found nothing',
    span,
    help: 'leave the clause out where there is nothing to ask',
  })
}

function jsonError(token: IToken, span: Span, text: string): Diagnostic | undefined {
  if (!isClosed(token))
    return tell('unclosed-slice', {
      message: 'expected `}` at the end of the JSON value, found none',
      span: { ...span, end: span.start + 1 },
      help: 'the value that begins here is never closed',
    })
  const result = readJson(text, token.startOffset, endOf(token))
  if (!('wrong' in result)) return undefined
  return tell('bad-json', {
    message: result.wrong,
    span: { ...span, start: result.at, end: result.at + result.length },
    ...(result.help !== undefined && { help: result.help }),
  })
}

const oddHelp: readonly (readonly [RegExp, string])[] = [
  [/^;/, 'nothing stands at the end of a clause; leave `;` out'],
  [/^['‘’“”„«»‹›`]/u, 'a text stands in straight double quotes, like `"this"`'],
  [/^\//, 'a comment begins with `#`'],
  [/^!/, 'whom or what a rule leaves out stands behind `except`; operators stand inside a condition: `when { ... }`'],
  [/^--/, 'a comment begins with `#`'],
  [/^[&|<>?]/, 'operators stand inside a condition: `when { ... }`'],
  [/^[[\]]/, 'a list has commas between its parts and no brackets'],
  [/^\p{L}/u, 'a name with other letters than a to z stands in quotes'],
]

/** Invisible where it is shown, or one that others cannot tell from a space. */
const UNSEEN = /[\p{C}\p{Z}]/u

export function oddCharacters(source: Source, start: number, end: number): Diagnostic {
  const text = source.text.slice(start, end)
  const code = text.codePointAt(0)!
  const shown = UNSEEN.test(text) ? `U+${code.toString(16).toUpperCase().padStart(4, '0')}` : `\`${text}\``
  const help = oddHelp.find(([pattern]) => pattern.test(text))?.[1]
  return tell('bad-character', {
    message: `expected a word of the language, found ${shown}`,
    span: { file: source.file, start, end },
    ...(help !== undefined && { help }),
  })
}

/** What shows the text otherwise than it is read: nowhere in a policy. Else a comment could hide a rule, or be taken for one. */
export function findMisleadingText(source: Source): Diagnostic[] {
  return Array.from(source.text.matchAll(/[\u202A-\u202E\u2066-\u2069]|\r(?!\n)|[\v\f\u0085\u2028\u2029]/g), ({ 0: found, index }) => {
    const code = `U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
    const isTurn = /[\u202A-\u2069]/.test(found)
    return tell('bad-character', {
      message: isTurn
        ? `expected text that reads as it is, found ${code}, which turns its direction`
        : `expected a line to end with LF or CRLF, found ${code}, which ends it for some programs and not for others`,
      span: { file: source.file, start: index, end: index + 1 },
      help: isTurn || found !== '\r' ? 'in a text in quotes, write it as an escape' : 'save the file with line ends of LF',
    })
  })
}
