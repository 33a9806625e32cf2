// Text for terminals: one line each, in columns.

/** One line of text that no terminal acts on: control, format and bidirectional characters are escaped. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, char => `\\u{${char.codePointAt(0)!.toString(16)}}`)
}

/** Columns as wide as their widest cell; those behind the first `left` are aligned right, as numbers are. */
export function alignColumns(rows: readonly (readonly string[])[], left: number): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const pad = (cell: string, i: number): string => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
  return rows.map(row => `${row.map(pad).join('  ').trimEnd()}\n`).join('')
}

/** `2026-11-01`, and for what is finer `2026-11-01T10:00Z`. */
export function writeTime(at: number, kind: 'hour' | 'day' | 'month'): string {
  const text = new Date(at).toISOString()
  if (kind === 'hour') return `${text.slice(0, 16)}Z`
  return text.slice(0, kind === 'day' ? 10 : 7)
}

/** Units from thousandths, exactly: `1.5`. */
export function writeUnits(milli: bigint): string {
  const [whole, rest] = [milli / 1000n, milli % 1000n]
  return rest === 0n ? String(whole) : `${whole}.${String(rest).padStart(3, '0').replace(/0+$/, '')}`
}
