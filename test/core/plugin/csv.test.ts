// Whatever a client writes into a record, a spreadsheet sees text in the cell where it belongs.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CsvCell, writeCsvRow } from '../../../core/plugin/print.ts'
import { parseCsv } from './csv-text.ts'

const hostile = fc.string({
  unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', ' ', '"', ',', "'", '\uff1d', '\u202e', 'a', '0', '\u00e9'),
})
const text = fc.oneof(hostile, fc.string({ unit: 'binary' }))
const cells: fc.Arbitrary<CsvCell[]> = fc.array(fc.oneof(text, fc.double(), fc.boolean(), fc.constant(undefined), fc.constant(null)), {
  minLength: 1,
})

test('a row is read back as the row it was, cell by cell, and it is one line', () => {
  fc.assert(
    fc.property(cells, row => {
      const written = writeCsvRow(row)
      expect(written.slice(0, -2)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      const [read, ...more] = parseCsv(written)
      expect(more).toEqual([])
      expect(read).toHaveLength(row.length)
      for (const [i, cell] of row.entries()) if (typeof cell === 'number') expect(read![i]).toBe(Number.isFinite(cell) ? String(cell) : '')
    }),
  )
})

test('no text begins what a spreadsheet takes for a formula', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), row => {
      for (const cell of parseCsv(writeCsvRow(row))[0]!) expect(cell).not.toMatch(/^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/)
    }),
  )
})

test('plain text stays as it is, and so do quotes and commas', () => {
  const plain = fc
    .string({ unit: fc.constantFrom('a', 'Z', '9', '"', ',', ' ', ';', '\u00e9', '{') })
    .filter(one => !/^\s*[=+\-@]/.test(one))
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1 }), row => {
      expect(parseCsv(writeCsvRow(row))).toEqual([row])
    }),
  )
})

test.each([
  ['=HYPERLINK("http://a","b")', `"'=HYPERLINK(""http://a"",""b"")"\r\n`],
  ['-5', `'-5\r\n`],
  [-5, '-5\r\n'],
  ['\tx', `'\\u{9}x\r\n`],
  ['a\n{"level":"info"}', `"a\\u{a}{""level"":""info""}"\r\n`],
])('%j is written as %j', (cell, written) => {
  expect(writeCsvRow([cell])).toBe(written)
})
