// Reads comma-separated values as RFC 4180 has them, by itself: what is written is held against another's understanding of it.
export function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  while (at < text.length) {
    let cell = ''
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        if (at >= text.length) throw new Error('a quoted cell does not end')
        if (text[at] !== '"') cell += text[at]
        else if (text[at + 1] === '"') {
          cell += '"'
          at += 1
        } else break
      }
      at += 1
    } else
      for (; at < text.length && text[at] !== ',' && text[at] !== '\r'; at += 1) {
        if (text[at] === '"' || text[at] === '\n') throw new Error(`at ${at}: not to be in a cell without quotes`)
        cell += text[at]
      }
    row.push(cell)
    if (text[at] === ',') {
      at += 1
      // A comma is followed by a cell, also by an empty one at the end.
      if (text.startsWith('\r\n', at)) row.push('')
      else continue
    }
    if (!text.startsWith('\r\n', at)) throw new Error(`at ${at}: expected a comma or the end of a row`)
    at += 2
    rows.push(row)
    row = []
  }
  return rows
}
