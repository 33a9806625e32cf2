// Prints diagnostics for people: what, where with a caret line, and how to mend it.

import { printable, printableLines } from '../plugin/print.ts'
import type { Diagnostic } from './diagnostic.ts'

const widest = 120

/** Findings of other parts of the gateway have codes of their own. */
export type Finding = Omit<Diagnostic, 'code'> & { readonly code: string }

/** One block a finding, separated by empty lines. `color` is false where NO_COLOR is set or the output is no terminal. */
export function renderDiagnostics(list: readonly Finding[], color: boolean): string {
  return list.map(one => renderDiagnostic(one, color)).join('\n')
}

export function renderDiagnostic(diagnostic: Finding, color: boolean): string {
  const { code, severity, message, file, line, column, help } = diagnostic
  const paint = (style: string, text: string): string => (color ? `\u001b[${style}m${text}\u001b[0m` : text)
  const accent = severity === 'error' ? '31' : '33'
  const lines = [`${paint(`${accent};1`, severity)}[${code}]: ${printableLines(message, '    ')}`]
  const gutter = ' '.repeat(String(line ?? '').length)
  lines.push(`${gutter} ${paint('2', '-->')} ${printable(line === undefined ? file : `${file}:${line}:${column}`)}`)
  if (line !== undefined && diagnostic.excerpt !== undefined) {
    const { text, pad, width } = frame(diagnostic)
    lines.push(`${paint('2', `${line} |`)} ${text}`, `${paint('2', `${gutter} |`)} ${' '.repeat(pad)}${paint(accent, '^'.repeat(width))}`)
  }
  if (help !== undefined) lines.push(`${gutter} ${paint('2', '=')} ${paint('36', 'help')}: ${printableLines(help, '    ')}`)
  return `${lines.join('\n')}\n`
}

// The excerpt made safe for a terminal and cut to a window around the caret.
function frame(diagnostic: Finding): { text: string; pad: number; width: number } {
  const { excerpt = '', column = 1, line, endLine, endColumn = column } = diagnostic
  const last = endLine === line ? endColumn : excerpt.trimEnd().length + 1
  const from = column > widest - 20 ? column - 21 : 0
  const text = excerpt.slice(from, from + widest)
  const pad = Math.min(column - 1 - from, text.length)
  const width = Math.max(1, Math.min(last - column, text.length - pad))
  const cut = `${from > 0 ? '…' : ''}${plain(text.slice(from > 0 ? 1 : 0))}`
  return { text: cut, pad, width }
}

// One column a character, so that the caret stays in place.
function plain(text: string): string {
  return withoutPasswords(text).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, found =>
    found === '\t' ? ' ' : '?'.repeat(found.length),
  )
}

// Of URLs, starred out in their width.
function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/[^\s:@/]*:)([^\s@${}]+)(?=@)/g, (_, before: string, password: string) => before + '*'.repeat(password.length))
}
