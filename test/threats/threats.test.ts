// The page of threats: each number stands on it once, each test that it names is there, and what is not yet held can only become less.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const THREATS = 67
const CASES = 44
/** Take a number out when a test holds it. */
const NOT_YET: readonly string[] = []

interface Row {
  readonly number: string
  readonly tests: readonly string[]
}

function rowsOf(page: string, heading: string): readonly Row[] {
  const section = page.split(/^## /m).find(part => part.startsWith(`${heading}\n`)) ?? ''
  const lines = section.split('\n').filter(line => /^\| T?\d+ /.test(line))
  return lines.map(line => {
    const cells = line.split(/(?<!\\)\|/).map(cell => cell.trim())
    return { number: cells[1] ?? '', tests: (cells[4] ?? '').split('<br>') }
  })
}

/** What stands as the name of a test or a group: in `test('...')`, and after the rows of `test.each([...])('...')`. */
function titlesOf(source: string): readonly string[] {
  const call = String.raw`(?:\b(?:describe|test|it)(?:\.\w+)*(?:\([^()]*\))?\(|\)\()`
  const text = String.raw`\s*(?:(['"\`])((?:\\.|(?!\1)[^\\])*)\1|([\w.]+\())`
  return [...source.matchAll(new RegExp(call + text, 'g'))].map(match => (match[2] ?? match[3] ?? '').replaceAll(/\\(['"`])/g, '$1'))
}

const page = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
const held = [...rowsOf(page, 'Threats'), ...rowsOf(page, 'Cases')]
const missing = rowsOf(page, 'Not yet held').map(({ number }) => number)

test('every threat and every case stands on the page once, held or not yet', () => {
  const wanted = [...Array.from({ length: THREATS }, (_, i) => `T${i + 1}`), ...Array.from({ length: CASES }, (_, i) => `${i + 1}`)]
  const found = [...held.map(({ number }) => number), ...missing]
  expect(found.toSorted()).toEqual(wanted.toSorted())
})

test('what is not yet held is no more than it was', () => {
  expect(missing.filter(number => !NOT_YET.includes(number))).toEqual([])
  expect(NOT_YET.filter(number => !missing.includes(number))).toEqual([])
})

test.each(held)('$number is held by tests that are there', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0)
  for (const one of tests) {
    const [, file = '', name = ''] = /^`(test\/[^`]+\.test\.ts)`: (\S.*)$/.exec(one) ?? []
    // Words, not only the places of values: those would be found in any table.
    expect(name.replaceAll(/%\w|[^a-z]/gi, '').length, one).toBeGreaterThan(6)
    expect(existsSync(join(root, file)), `${file} is there`).toBe(true)
    const titles = titlesOf(readFileSync(join(root, file), 'utf8'))
    expect(
      titles.some(title => title.includes(name)),
      `${file} has a test named "${name}"`,
    ).toBe(true)
  }
})

test('a name is looked for among the names of tests alone', () => {
  const source = "// test of 'nothing'\nconst a = 'text'\nit.each([\n  ['row'],\n])('rows %s', () => {})\ntest.skipIf(!on)(`one ${n}`, f)\n"
  expect(titlesOf(source)).toEqual(['rows %s', 'one ${n}'])
})
