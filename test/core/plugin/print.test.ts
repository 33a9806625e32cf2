// Whatever is in a name, a terminal shows a table of it as the table that it is.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { alignColumns, printable } from '../../../core/plugin/print.ts'

const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u
const hostile = fc.string({
  unit: fc.constantFrom('\u001b', '[', '2', 'J', '\n', '\r', '\t', '\u202e', '\u200b', '\ufeff', '\ud800', '\ue000', '\u2028', 'a', ' '),
})
const text = fc.oneof(hostile, fc.string({ unit: 'binary' }))

test('printable text has nothing that a terminal acts on or that nobody sees, and is printable as it is', () => {
  fc.assert(
    fc.property(text, one => {
      const shown = printable(one)
      expect(shown).not.toMatch(HIDDEN)
      expect(printable(shown)).toBe(shown)
      const back = shown.replaceAll(/\\u\{([0-9a-f]+)\}/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
      if (!one.includes('\\u{')) expect(back).toBe(one)
    }),
  )
})

test.each([
  ['a\nb', 'a\\u{a}b'],
  ['\u001b[2J', '\\u{1b}[2J'],
  ['\u202eevil', '\\u{202e}evil'],
  ['\u{e0041}', '\\u{e0041}'],
  ['Zoë 表', 'Zoë 表'],
])('%j is printed as %j', (given, shown) => {
  expect(printable(given)).toBe(shown)
})

test('a table has one line for each row, and nothing in it that a terminal acts on', () => {
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 1, maxLength: 4 })), fc.nat(4), (rows, right) => {
      const lines = alignColumns(rows, right).split('\n')
      expect(lines.pop()).toBe('')
      expect(lines).toHaveLength(rows.length)
      for (const line of lines) expect(line).not.toMatch(HIDDEN)
    }),
  )
})

// How many cells of a terminal each takes, by Unicode: East Asian wide ones two, marks none.
const units: Readonly<Record<string, number>> = {
  a: 1,
  Z: 1,
  '-': 1,
  é: 1,
  'e\u0301': 1,
  'o\u0323\u0302': 1,
  ß: 1,
  表: 2,
  한: 2,
  か: 2,
  '\u304b\u3099': 2,
  ｱ: 1,
  Ａ: 2,
  '🙂': 2,
  '🇩🇪': 2,
  '👍🏽': 2,
}

test('columns stand under each other, whether their characters are narrow, wide or made of several', () => {
  const cell = fc.array(fc.constantFrom(...Object.keys(units)), { minLength: 1, maxLength: 6 })
  const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 })
  const widthOf = (parts: readonly string[]): number => parts.reduce((sum, part) => sum + units[part]!, 0)
  fc.assert(
    fc.property(table, fc.constantFrom(1, 3), (rows, right) => {
      const widths = [0, 1, 2].map(i => Math.max(...rows.map(row => widthOf(row[i]!))))
      const expected = rows.map(row => {
        const cells = row.map((parts, i) => {
          const blanks = ' '.repeat(widths[i]! - widthOf(parts))
          return i < right ? parts.join('') + blanks : blanks + parts.join('')
        })
        return `${cells.join('  ').trimEnd()}\n`
      })
      expect(
        alignColumns(
          rows.map(row => row.map(parts => parts.join(''))),
          right,
        ),
      ).toBe(expected.join(''))
    }),
  )
})

test('names stand left and numbers right where a table says so', () => {
  const rows = [
    ['TOOL', 'CALLS', 'P95'],
    ['search', '12', '-'],
    ['a', '7', '130 ms'],
  ]
  expect(alignColumns(rows)).toBe('TOOL    CALLS  P95\nsearch  12     -\na       7      130 ms\n')
  expect(alignColumns(rows, 1)).toBe('TOOL    CALLS     P95\nsearch     12       -\na           7  130 ms\n')
  expect(alignColumns([])).toBe('')
})
