// What a command prints of foreign text: no terminal acts on it, no column moves, and no spreadsheet takes it for a formula.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu

/** One line of text that no terminal acts on: control, format, bidirectional and private characters are escaped, as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(HIDDEN, char => `\\u{${char.codePointAt(0)!.toString(16)}}`)
}

/** Text of several lines, each printable; the second and all others begin with `indent`, so that none passes for a line of ours. */
export function printableLines(text: string, indent: string): string {
  return text.split(/\r?\n/).map(printable).join(`\n${indent}`)
}

/**
 * A line for each row, with a line break; columns are as wide on a terminal as their widest cell, two blanks apart. Cells are made
 * printable. Columns from `right` on (0: all) are aligned to the right, as numbers are.
 */
export function alignColumns(rows: readonly (readonly string[])[], right: number = Number.POSITIVE_INFINITY): string {
  const shown = rows.map(row => row.map(printable))
  const widths: number[] = []
  for (const row of shown) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))
  const pad = (cell: string, i: number): string => {
    const blanks = ' '.repeat(widths[i]! - widthOf(cell))
    return i < right ? `${cell}${blanks}` : `${blanks}${cell}`
  }
  return shown.map(row => `${row.map(pad).join('  ').trimEnd()}\n`).join('')
}

const NARROW = /^[\x20-\x7e]*$/
const WIDE =
  /\ufe0f|\p{Emoji_Presentation}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|(?![\uff61-\uffdc])[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\p{sc=Yi}]/u
let segmenter: Intl.Segmenter | undefined

/** Cells of a terminal: two for what is drawn wide, none for what is drawn onto the character before. */
function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length
  segmenter ??= new Intl.Segmenter('en')
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

export type CsvCell = string | number | boolean | null | undefined

/** What a spreadsheet begins a formula with, also behind blanks that it drops, and as full-width characters. */
const FORMULA = /^(?:[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/

/**
 * A row of comma-separated values (RFC 4180) with its CR LF. Text is printable, and has an apostrophe before what a spreadsheet would take
 * for a formula; numbers are as they are; nothing stands for null, undefined and numbers that are not finite.
 */
export function writeCsvRow(cells: readonly CsvCell[]): string {
  return `${cells.map(writeCell).join(',')}\r\n`
}

function writeCell(cell: CsvCell): string {
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : ''
  if (typeof cell !== 'string') return cell === true ? 'true' : cell === false ? 'false' : ''
  const text = printable(FORMULA.test(cell) ? `'${cell}` : cell)
  return /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
