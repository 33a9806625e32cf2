// The older YAML policies become a bundle with the same meaning, or are refused by name.
import { describe, expect, test } from 'vitest'
import { checkPolicies } from '../../../dsl/checker/check.ts'
import { importPolicies } from '../../../dsl/import/import-policies.ts'

const rule = (action: 'allow' | 'deny', tool?: string, more: object = {}): object => ({
  ...(tool === undefined ? {} : { tool }),
  action,
  ...more,
})
const policy = (id: string, roles: readonly string[], ...rules: object[]): object => ({ id, roles, rules })
const textOf = (...policies: object[]): string => {
  const imported = importPolicies(policies)
  if (!imported.ok) throw new Error(JSON.stringify(imported.problems))
  return imported.text
}
const problemsOf = (...policies: unknown[]): string[] => {
  const imported = importPolicies(policies)
  return imported.ok ? [] : imported.problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('the reader and admin of the README: a deny of everything at the end is the default', () => {
  const reader = {
    ...policy('reader-policy', ['reader'], rule('allow', 'get_*'), rule('allow', 'search_*'), rule('deny', '*')),
    name: 'Read-only access',
  }
  const admin = { ...policy('admin-policy', ['admin'], rule('allow')), name: 'Full access' }
  expect(textOf(reader, admin)).toBe(`# The policies of a gateway.yaml. What nothing here allows is denied.
policy "gateway" edition 1

# reader-policy: Read-only access
allow reader-policy-1 {
  who     role reader
  call    */get_*
  because "Read-only access"
}

allow reader-policy-2 {
  who     role reader
  call    */search_*
  because "Read-only access"
}

# admin-policy: Full access
allow admin-policy-1 {
  who     role admin
  call    */*
  because "Full access"
}
`)
})

test('names that turn the direction of text, or break lines, are written as escapes: the policy can be loaded', () => {
  const odd = '\u202e\u2066\u2028\r\u0085x'
  const conditions = [{ param: 'env', operator: 'eq', value: odd }]
  const text = textOf({ ...policy(odd, [odd], rule('allow', 'get_*', { conditions })), name: odd })
  expect(text).not.toMatch(/[\u0085\u2028\u202a-\u202e\u2066-\u2069\r]/)
  const { policy: checked } = checkPolicies([{ file: 'a.policy', text }], {})
  expect(checked?.rules[0]).toMatchObject({ because: odd, who: [{ roles: [odd] }] })
})

describe('a deny', () => {
  test('leaves alone what the same policy allows before it', () => {
    const text = textOf(policy('p', ['a'], rule('allow', 'get_*'), { server: 'stripe', action: 'deny' }, rule('allow')))
    expect(text).toContain('deny p-2 {\n  who     role a\n  call    stripe/* except */get_*\n  because "Denied by p"\n}')
  })

  test('that a condition lets through names the calls that it is about', () => {
    const conditions = [{ param: 'env', operator: 'eq', value: 'dev' }]
    const text = textOf(policy('p', ['a'], rule('allow', 'get_*', { conditions }), { server: 'stripe', action: 'deny' }))
    expect(text).toContain('  unless  { (tool.name.startsWith("get_") && has(args.env) && string(args.env) == "dev") }')
  })

  test('of something more special goes before the allow of everything, wherever it stands', () => {
    const text = textOf(policy('p', ['a'], rule('allow'), rule('deny', 'drop_*')))
    expect(text).toContain('deny p-2 {\n  who     role a\n  call    */drop_*\n')
  })

  test('of everything is kept for roles that nothing else knows, and only for those', () => {
    const text = textOf(policy('s', ['suspended', 'reader'], rule('deny', '*')), policy('r', ['reader'], rule('allow', 'get_*')))
    expect(text).toContain('deny s-1 {\n  who     role suspended\n  call    */*\n')
    expect(textOf(policy('d', ['*'], rule('deny')))).toContain('# Nothing beyond the default.')
  })

  test('that stands before a more special allow is refused, as two readings are possible', () => {
    expect(problemsOf(policy('p', ['a'], rule('deny', '*'), rule('allow', 'get_*')))).toEqual([
      expect.stringMatching(/^0\.rules\.1: the allow of `\*\/get_\*` stands after the more general deny of `\*\/\*` \(rule 1\)/),
    ])
  })
})

describe('conditions', () => {
  const when = (condition: object, action: 'allow' | 'deny' = 'allow'): string =>
    /when {4}\{ (.*) \}/.exec(textOf(policy('p', ['a'], rule(action, 'x', { conditions: [condition] }))))![1]!

  test.each([
    [{ param: 'a', operator: 'eq', value: '1' }, 'has(args.a) && string(args.a) == "1"'],
    [{ param: 'a', operator: 'in', value: ['x', 'y'] }, 'has(args.a) && string(args.a) in ["x", "y"]'],
    [{ param: 'a-b', operator: 'neq', value: '"' }, '"a-b" in args && string(args["a-b"]) != "\\""'],
    [{ param: 'in', operator: 'regex', value: '^c-\\d+$' }, '"in" in args && string(args["in"]).matches("^c-\\\\d+$")'],
  ])('%j', (condition, expected) => {
    expect(when(condition)).toBe(expected)
  })

  test('an absent argument is unequal for a deny, and nothing for an allow', () => {
    const condition = { param: 'a', operator: 'neq', value: 'x' }
    expect(when(condition)).toBe('has(args.a) && string(args.a) != "x"')
    expect(when(condition, 'deny')).toBe('(!(has(args.a)) || string(args.a) != "x")')
  })

  test.each(['(?=x)', '(?<!x)y', '(a)\\1', '\\p{L}', '[^]', '\\Ax', '[\\S]', '[\\w-z]', 'a{1001}', '('])(
    'the pattern %s is refused by name',
    pattern => {
      expect(
        problemsOf(policy('p', ['a'], rule('allow', 'x', { conditions: [{ param: 'a', operator: 'regex', value: pattern }] }))),
      ).toEqual([expect.stringMatching(/^0\.rules\.0\.conditions\.0\.value: .*(cannot be kept in RE2|is no regular expression)$/)])
    },
  )
})

test('what is not understood is named, all of it, and never guessed', () => {
  expect(
    problemsOf(
      { id: 'p', roles: 'admin', rules: [{ action: 'permit', tools: 'x' }] },
      policy('q', ['a'], rule('allow', 'get *'), { server: 'a b', action: 'allow' }),
      policy(
        'r',
        ['a'],
        rule('allow', 'x', {
          conditions: [
            { param: 'n', operator: 'eq', value: 5 },
            { param: 'n', operator: 'in', value: 'x' },
          ],
        }),
      ),
      'text',
    ),
  ).toMatchInlineSnapshot(`
    [
      "0.roles: expected a list",
      "0.rules.0.tools: \`tools\` is unknown here, expected server, tool, action, conditions",
      "0.rules.0.action: \`action\` takes deny, allow",
      "2.rules.0.conditions.0.value: \`value\` takes text: put 5 in quotes",
      "2.rules.0.conditions.1.value: expected a list",
      "3: expected a map of \`id\`, \`name\`, \`roles\`, \`rules\`",
      "3: \`id\` is missing",
      "3.roles: a list is missing",
      "3.rules: a list is missing",
    ]
  `)
  expect(problemsOf(policy('q', ['a'], rule('allow', 'get *'), { server: 'a b', action: 'allow' }))).toMatchInlineSnapshot(`
    [
      "0.rules.0.tool: the pattern \`get *\` cannot be kept: beside \`*\` it takes letters, digits, \`_\`, \`.\` and \`-\`",
      "0.rules.1.server: no server can be called \`a b\`",
    ]
  `)
})

test('names are kept whatever they hold: in quotes where the grammar needs it, each once, on one line', () => {
  const odd = { ...policy('a b"\u2028', ['when', 'x\ny'], rule('allow', 'read file')), name: 'two\nlines' }
  const text = textOf(odd, policy('p', ['a'], rule('allow', 'x')), policy('p', ['a'], rule('allow', 'y')))
  expect(text).toContain('allow "a b\\"\\u2028-1" {\n  who     role "when", role "x\\ny"\n  call    */"read file"\n  because "two\\nlines"')
  expect(text).toContain('allow p-1-2 {')
  expect(text.split('\n').filter(line => line.startsWith('#'))).toHaveLength(4)
})

test('a tool with a slash in its name is reached by the globs that mean it', () => {
  const text = textOf(policy('p', ['a'], rule('deny', 'delete_*'), rule('allow', 'delete_a/b')))
  expect(text).toContain('deny p-1 {\n  who     role a\n  call    */delete_*, */"delete_a/b"\n')
})
