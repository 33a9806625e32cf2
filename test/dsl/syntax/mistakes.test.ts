// Known mistakes: each is told where it stands, with what was expected and found, and how to mend it.
import { expect, test } from 'vitest'
import { parsePolicy } from '../../../dsl/syntax/parse.ts'

const HEADER = 'policy "p" edition 1\n'
/** `code [underlined text] help` of each finding. */
function findings(text: string): string[] {
  const { diagnostics } = parsePolicy({ file: 'a.policy', text })
  return diagnostics.map(({ code, span, help }) => `${code} [${text.slice(span.start, span.end)}] ${help ?? ''}`.trimEnd())
}

const rows: readonly (readonly [string, string, ...string[]])[] = [
  ['permit', 'permit a { who any call a/b }', 'syntax [permit] did you mean `allow`?'],
  ['an unknown word', 'allow a { who any cal a/b }', 'syntax [cal] did you mean `call`?'],
  [
    'a name with spaces',
    'allow a { who role support lead call a/b }',
    'syntax [lead] a name with spaces stands in quotes: `"support lead"`',
  ],
  ['a text without quotes', 'deny a { because Too bad\n}', 'syntax [Too] it stands in quotes: `"Too bad"`'],
  [
    'a condition without braces',
    'deny a { call a/b\n when args.a > 1 && x\n}',
    'syntax [args.a] a condition stands in braces: `{ args.a > 1 && x }`',
  ],
  ['a semicolon', 'deny a { call a/b; }', 'bad-character [;] nothing stands at the end of a clause; leave `;` out'],
  ['a comma too many', 'allow a { who any,\n call a/b }', 'syntax [call] leave out the comma before it, or name one more'],
  ['a comma missing', 'deny a { call a/b c/d }', 'syntax [c/d] put a comma between targets'],
  ['a rule without an end', 'deny a {\n call a/b\ndeny b { call a/b }', 'syntax [deny] close it with `}`'],
  ['a clause twice', 'deny a { call a/b\n call a/c }', 'repeated-clause [call] put all targets into one `call`, with commas between them'],
  ['a star alone', 'deny a { call * }', 'syntax [*] a target names a server and what it has, with `/` between them, like `crm/*` or `*/*`'],
  ['no day', 'allow a { who any call a/b expires 2027-02-30 }', 'bad-date [2027-02-30]'],
  [
    'no duration',
    'deny a { call a/b after call a/b within 90x }',
    'bad-duration [90x] a duration is whole days, hours, minutes and seconds in this order: `7d`, `1h30m`, `90s`',
  ],
  ['a text without an end', 'deny a { because "so\n}', 'bad-string ["so] a text ends on its line; `\\n` stands for a line break'],
  [
    'an empty condition',
    'deny a { call a/b when { // none\n } }',
    'empty-condition [{ // none\n }] leave the clause out where there is nothing to ask',
  ],
  ['a key twice', 'test "t" { as {"a": 1, "a": 2} call a/b expect deny }', 'bad-json ["a"]'],
  ['a keyword as a name', 'deny when { call a/b }', 'syntax [when] as a name, `when` stands in quotes'],
  [
    '`and` between subjects',
    'allow a { who role b and role c call a/b }',
    'syntax [and] `in` stands between subjects that must both hold, as in `role support in tenant acme`; a comma means or',
  ],
  ['`and` between targets', 'deny a { call a/b and c/d }', 'syntax [and] a comma stands between them'],
  [
    'a colon behind a keyword',
    'allow a { who role:b call a/b }',
    'syntax [:] nothing stands between `role` and what it says; leave `:` out',
  ],
  ['a role without its word', 'allow a { who role b, c call a/b }', 'syntax [c] a role stands as `role c`'],
  [
    'an argument without its colon',
    'allow a { who any call a/b then limit(2, per 1h) }',
    'syntax [1h] a colon stands behind the name of an argument: `per: 1h`',
  ],
  [
    'single quotes',
    "deny a { who role 'on call'\n call a/b because 'no' }",
    'bad-string [\'on call\'] write `"on call"`',
    'bad-string [\'no\'] write `"no"`',
  ],
  [
    'the name of a target in single quotes',
    "deny a { call a/'b/c' }",
    'syntax [a/\'b/c\'] a name with other characters than letters, digits, `_`, `.`, `-` and `*` stands in quotes: `a/"b/c"`',
  ],
  [
    'a limit as a rate',
    'allow a { who any call a/b then limit(2/h) }',
    'syntax [2/h] arguments have commas between them, and names with a colon: `limit(20, per: 1h)`',
  ],
  [
    'a limit in words',
    'allow a { who any call a/b then limit(2 per 1h) }',
    'syntax [per] arguments have commas between them, and names with a colon: `limit(20, per: 1h)`',
  ],
  [
    'not for some',
    'deny a { who not role b\n call a/b }',
    'syntax [not] whom a rule leaves out stands behind `except`: `any except role intern`',
  ],
  ['everyone', 'deny a { who everyone\n call a/b }', 'syntax [everyone] did you mean `any`?'],
  [
    'a subject without who',
    'deny a {\n role b\n call a/b }',
    'syntax [role] `who` stands before the first subject, and a comma between them',
  ],
  ['a comment of SQL', 'deny a { call a/b }\n-- why', 'bad-character [--] a comment begins with `#`'],
  ['a target in quotes', 'deny a { call "a/b" }', 'syntax ["a/b"] a server stands without quotes: `a/b`'],
  ['a target with a dot', 'deny a { call a.b }', 'syntax [a.b] `/` stands between a server and what it has: `a/b`'],
  [
    'braces around clauses',
    'deny a { who any {\n call a/b }\n}',
    'syntax [{] clauses stand one after the other, without braces of their own',
    'syntax [}] before it, one `}` is too many or one `{` too few',
  ],
  [
    'a condition without braces, and the rule on one line',
    'deny a { call a/b when args.a > 1 }',
    'syntax [args.a] a condition stands in braces: `{ args.a > 1 }`',
  ],
  [
    'arguments behind a target',
    'deny a { call a/b { "x": 1 } }',
    'syntax [{ "x": 1 }] what is asked of arguments stands in `when { ... }`',
  ],
  ['a bad escape in the name of a target', 'deny a { call crm/"x\\q" }', 'bad-string ["x\\q"] `\\\\` stands for one backslash'],
  ['a text that turns', 'deny a { call a/b because "\u202E" }', 'bad-character [\u202E] in a text in quotes, write it as an escape'],
  [
    'a rule that hides in a comment',
    '# as ever\rallow evil { who any call a/b }\ndeny a { call a/b }',
    'bad-character [\r] save the file with line ends of LF',
  ],
  ...['\v', '\f', '\u0085', '\u2028', '\u2029'].map((char): [string, string, string] => [
    `a comment that seems to end before a rule, at U+${char.charCodeAt(0).toString(16)},`,
    `# as ever${char}deny evil { call a/c }\ndeny a { call a/b }`,
    `bad-character [${char}] in a text in quotes, write it as an escape`,
  ]),
  ['a line break that is none for us', 'deny a {\u2028call a/b }', 'bad-character [\u2028]'],
]

for (const [title, text, ...told] of rows) {
  test(`${title} is told once`, () => {
    const found = findings(HEADER + text)
    expect(found).toEqual(told)
  })
}

test('one run tells the mistakes of all items, in the order of the file, and keeps the sound ones', () => {
  const text = `${HEADER}deny a { call }\nlet x = { }\nallow ok { who any call a/b }\npermit b { who any, call a/b }\ndeny c { when { a(\n call x/y\n}\ndeny d { call a/b }`
  const { file, diagnostics } = parsePolicy({ file: 'a.policy', text })
  expect(diagnostics.map(({ code }) => code)).toEqual(['syntax', 'empty-condition', 'syntax', 'syntax', 'unclosed-slice'])
  expect(file!.items.map(item => item.name.value)).toEqual(['ok', 'd'])
})

test('an unclosed condition ends before the next item', () => {
  expect(findings(`${HEADER}deny a { call a/b when { x == """\nallow b { who }`)).toEqual([
    'unclosed-slice [{] the condition that begins here is never closed',
    'syntax [}]',
  ])
})

test('the name of a target without an end, with an escape in it, is told', () => {
  expect(findings(`${HEADER}deny a {\n call crm/"x\\"\n}`)).toEqual([
    'bad-string ["x\\"] a text ends on its line; `\\n` stands for a line break',
  ])
})

test('a wrong header hides nothing behind it', () => {
  expect(findings('policy support desk edition 1\ndeny a { call }')).toEqual([
    'syntax [support] it stands in quotes: `"support desk"`',
    'syntax [}]',
  ])
  expect(findings('')).toEqual(['syntax [] each file begins so'])
})

test('a name is what it is read as: the longest word, a keyword, a text; INT, DURATION and DATE end where a name could not go on', () => {
  const { file, diagnostics } = parsePolicy({
    file: 'a.policy',
    text: `${HEADER}allow allows { who role role in tenant in, agent "2" call call/read, read/"a/b", 1h/2027-03-31 then log(1h, 1, within: any) }`,
  })
  expect(diagnostics).toEqual([])
  const [rule] = file!.items
  expect(rule).toMatchObject({
    name: { value: 'allows' },
    clauses: [
      {
        subjects: [
          { parts: [{ name: { value: 'role' } }, { kind: 'tenant', name: { value: 'in' } }] },
          { parts: [{ name: { value: '2', quoted: true } }] },
        ],
      },
      {
        targets: [
          { server: 'call', name: 'read', quoted: false },
          { server: 'read', name: 'a/b', quoted: true },
          { server: '1h', name: '2027-03-31' },
        ],
      },
      {
        obligations: [
          {
            args: [
              { value: { kind: 'duration' } },
              { value: { kind: 'int' } },
              { name: { value: 'within' }, value: { word: { value: 'any' } } },
            ],
          },
        ],
      },
    ],
  })
})
