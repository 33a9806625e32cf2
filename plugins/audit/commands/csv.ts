// Rows of comma-separated values that a spreadsheet takes for text and numbers, never for formulas. Spec: RFC 4180.
import { printable } from './show.ts'

export type Cell = string | number | boolean | null | undefined

/** What a spreadsheet begins a formula with, also behind blanks that it drops, and as full-width characters. */
const FORMULA = /^(?:[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/

/** Ends with CR LF. Text has no control characters, and an apostrophe before what would be a formula; numbers are as they are. */
export function writeRow(cells: readonly Cell[]): string {
  return `${cells.map(writeCell).join(',')}\r\n`
}

function writeCell(cell: Cell): string {
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : ''
  if (typeof cell !== 'string') return cell === true ? 'true' : cell === false ? 'false' : ''
  const text = printable(FORMULA.test(cell) ? `'${cell}` : cell)
  return /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
