// Case 26: whatever a condition does with hostile values, it is paid for by the work it makes, so that its budget ends it in time. Each count
// of rounds here is what about 50 ms of a slow machine are good for, whatever the clock says; and what policies do every day fits.
import { expect, test } from 'vitest'
import { compilePattern } from '../../../dsl/cel/regex.ts'
import { Run, stepBudget } from '../../../dsl/cel/run.ts'
import { evaluate } from './conditions.ts'

const walk = (rounds: number): readonly number[] => Array.from({ length: rounds }, (_, at) => at)
const texts = (count: number, make: (at: number) => string): readonly string[] => Array.from({ length: count }, (_, at) => make(at))
/** Letters that a host has to be spelled otherwise for. */
const foreign = (length: number): string => texts(length, at => String.fromCodePoint(0x4e00 + ((at * 131) % 20_000))).join('')
let seed = 1
const coin = (): string => {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
  return 'ab'[(seed >> 16) & 1]!
}
/** A `c` is there, so that no search for one ends it at once. */
const coins = (length: number): string => `c${Array.from({ length }, coin).join('')}`

const hostile: readonly (readonly [what: string, condition: string, args: object, rounds: number])[] = [
  ['a host of foreign letters', 'url.host(args.s) == ""', { s: `https://${foreign(8_000)}` }, 1],
  ['a host of escapes', 'url.host(args.s) == ""', { s: `https://${encodeURIComponent(foreign(900))}` }, 1],
  ['hosts as long as they may be', 'url.host(args.s) == ""', { s: `https://${foreign(250)}` }, 160],
  ['a path of foreign letters', 'url.host(args.s) == ""', { s: `https://a/${foreign(8_000)}` }, 60],
  ['digits that are no number', 'double(args.s) == 0.0', { s: `${'1'.repeat(399)}x` }, 4_000],
  ['a duration of many parts', 'duration(args.s) == duration("1s")', { s: '1h'.repeat(50) }, 1_000],
  ['times as text', 'timestamp(args.s) < request.time', { s: '2027-01-01T00:00:00.123456789+12:30' }, 7_000],
  ['numbers of 400 digits as text', 'string(args.n) == ""', { n: 10 ** 300 }, 2_000],
  ['letters to be made small, amid others', 'args.s.lowerAscii() == ""', { s: 'aBé'.repeat(30_000) }, 3],
  ['spaces of all kinds', 'args.s.trim() == "x"', { s: '\u2003'.repeat(100_000) }, 5],
  ['characters to be counted', 'size(args.s) == 1', { s: 'é😀'.repeat(50_000) }, 12],
  ['a part that is almost found, again and again', 'args.s.indexOf(args.t) == 3', { s: 'a'.repeat(4_000), t: `${'a'.repeat(2_000)}b` }, 1],
  ['the same from the end', 'args.s.lastIndexOf(args.t) == 3', { s: 'a'.repeat(4_000), t: `${'a'.repeat(2_000)}b` }, 1],
  ['parts that cannot be joined', 'args.l.join("") == "x"', { l: [...texts(9_999, String), 1] }, 11],
  ['parts that are too much, joined', 'args.l.join(args.s) == "x"', { l: texts(10_000, String), s: 'a'.repeat(1_000) }, 11],
  ['a path of many parts', 'path.within(args.s, "/a")', { s: '/a'.repeat(100_000) }, 3],
  ['SQL of many signs', 'sql.is_select(args.s)', { s: `select ${'('.repeat(50_000)}` }, 1],
  ['networks', 'net.in_cidr(args.s, "2001:db8::/32")', { s: '1:2:3:4:5:6:7:8' }, 3_000],
  ['zones', 'request.time.getHours("Europe/Vienna") == 99', {}, 200],
  ['texts in order', 'args.s < args.t', { s: 'a'.repeat(100_000), t: 'a'.repeat(100_000) }, 17],
  ['a pattern of countless states', 'args.s.matches("(.*a.{90}b|.*b.{90}a|.*a.{90}c){2}$")', { s: coins(350) }, 1],
  ['a small pattern of countless states', 'args.s.matches("(.*a.{7}b|.*b.{7}a)c$")', { s: coins(4_000) }, 2],
  ['many short texts before such a pattern', 'args.s.matches("a.{20}c")', { s: coins(40) }, 400],
  ['a pattern that backtracks elsewhere', 'args.s.matches("^(a+)+$")', { s: `${'a'.repeat(90_000)}b` }, 2],
]

test.each(hostile)('%s: the budget ends it', (_, condition, args, rounds) => {
  const all = { ...args, rounds: walk(rounds) }
  // Whatever comes of it, errors too, the walk goes on.
  expect(evaluate(`args.rounds.all(r, (${condition}) || r >= 0)`, all)).toBe('over-budget')
})

test('what is over budget is so in every part of a condition, and never widens access', () => {
  const args = { s: `https://${foreign(8_000)}` }
  for (const condition of ['url.host(args.s) == "x"', 'url.host(args.s) != "x"', 'true || url.host(args.s) == "x"'])
    expect(evaluate(condition, args)).toBe(condition.startsWith('true') ? true : 'over-budget')
  expect(evaluate('url.host(args.s) == "x" || true', args)).toBe('over-budget')
})

test('walking over the members of an object that ends at once costs one round, not all of them', () => {
  const members = Object.fromEntries(texts(5_000, String).map(key => [`k${key}`, 1]))
  expect(evaluate('args.rounds.all(r, args.m.exists(k, k != ""))', { rounds: walk(5_000), m: members })).toBe(true)
  expect(evaluate('args.m.all(k, k != "")', { m: members })).toBe(true)
})

test.each([
  [
    'a thousand recipients',
    'args.l.all(x, x.matches("^[a-z0-9._%+-]+@acme\\\\.example$"))',
    { l: texts(1_000, at => `p${at}@acme.example`) },
  ],
  [
    'a thousand URLs',
    'args.l.all(x, url.host(x) == "api.acme.example")',
    { l: texts(500, at => `https://api.acme.example/v1/things/${at}`) },
  ],
  ['a long text before a pattern', '!args.s.matches("(?i)(password|secret|token)\\\\s*[:=]")', { s: 'nothing to see '.repeat(8_000) }],
  ['a page of SQL', 'sql.is_select(args.s)', { s: `select ${texts(2_000, at => `c${at}`).join()} from t` }],
  ['five thousand numbers, added to', 'args.l.all(x, x + 1 > 0 && x < 9000)', { l: walk(5_000) }],
  ['a thousand times', 'args.l.all(x, timestamp(x) < request.time)', { l: texts(1_000, () => '2026-01-01T00:00:00Z') }],
  ['words in a long text', 'args.s.lowerAscii().contains("see") && args.s.trim().size() > 9', { s: 'Nothing to see '.repeat(2_000) }],
])('%s: that is what policies are for, and fits', (_, condition, args) => {
  expect(evaluate(condition, args)).toBe(true)
})

test('a pattern is cheap only where all its states are soon known, whatever its size', () => {
  const paid = (pattern: string): number => {
    const made = compilePattern(pattern)
    if (!('test' in made)) throw new Error(made.problem)
    const run = new Run(new Map(), undefined, 0)
    made.test('a'.repeat(1_000), run)
    return stepBudget - run.steps
  }
  const cheap = [
    '^https://[^/]*\\.acme\\.example/',
    '(?i)\\b(drop|delete)\\b',
    '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    '(?m)^x$',
    '(a?){24}b',
  ]
  for (const pattern of cheap) expect(paid(pattern), pattern).toBeLessThan(1_000)
  for (const pattern of ['a.{20}c', '(a|b)*a(a|b){14}c', '\\b.*a.{40}b\\b.*c', '(?m)^.*a.{30}$'])
    expect(paid(pattern), pattern).toBeGreaterThan(5_000)
})
