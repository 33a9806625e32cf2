// Rows of comma-separated values that a spreadsheet takes for text and numbers, never for formulas. Spec: RFC 4180.
import { printable } from './text.ts'

/** What a spreadsheet begins a formula with, also behind blanks that it drops, and as full-width characters. */
const FORMULA = /^(?:[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/

/** Ends with CR LF. Names have no control characters, and an apostrophe before what would be a formula; numbers are as they are. */
export function writeRow(cells: readonly (string | number)[]): string {
  return `${cells.map(cell => (typeof cell === 'number' ? String(cell) : writeText(cell))).join(',')}\r\n`
}

function writeText(cell: string): string {
  const text = printable(FORMULA.test(cell) ? `'${cell}` : cell)
  return /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
