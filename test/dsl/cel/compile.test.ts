// What a condition must be to be compiled, and what its author is told when it is not.
import { describe, expect, test } from 'vitest'
import { checkLet, compileCondition } from '../../../dsl/cel/compile.ts'
import { bindings, codes, compiled, evaluate, findings, slice } from './conditions.ts'

describe('a condition that cannot be', () => {
  test.each([
    ['args.x == ', 'cel-syntax'],
    ['args.x = 1', 'cel-syntax'],
    ['"unterminated', 'cel-syntax'],
    ['args.x & true', 'cel-syntax'],
    ['9223372036854775808 > 1', 'cel-syntax'],
    ['principle.id == "x"', 'cel-unknown-name'],
    ['principal.role == "x"', 'cel-unknown-name'],
    ['resource.uri == "x"', 'cel-unavailable'],
    ['1 == "1"', 'cel-type'],
    ['args.x + 1', 'cel-not-boolean'],
    ['principal.id', 'cel-not-boolean'],
    ['principal.id > 3', 'cel-type'],
    ['principal.id.foo()', 'cel-forbidden'],
    ['b"x" == args.x', 'cel-forbidden'],
    ['args.items.exists(args, args == 1)', 'cel-forbidden'],
    ['args.x.matches(args.y)', 'bad-regex'],
    ['args.x.matches("(?=a)")', 'bad-regex'],
    ['args.x.matches("(a{1000}){1000}")', 'bad-regex'],
    ['args.a.exists(x, args.b.exists(y, args.c.exists(z, x == y)))', 'cel-budget'],
    ['has(args)', 'cel-type'],
  ])('%s is refused as %s', (text, code) => {
    expect(codes(text)).toContain(code)
  })

  test.each([
    ['nested', `${'('.repeat(100)}true${')'.repeat(100)}`],
    ['negated', '!'.repeat(30_000)],
    ['long', Array(1_500).fill('args.x').join(' || ')],
    ['long', `args.x == "${'x'.repeat(40_000)}"`],
  ])('one that is too %s is refused as cel-budget', (_, text) => {
    expect(codes(text)).toEqual(['cel-budget'])
  })

  test('all its mistakes are told in one run, each where it stands', () => {
    const found = findings('principle.id == "x" && 1 == "a"')
    expect(found.map(one => [one.code, one.span.start, one.span.end])).toEqual([
      ['cel-unknown-name', 0, 9],
      ['cel-type', 23, 31],
    ])
    expect(found[0]!.help).toBe('did you mean `principal`')
  })

  test.each([
    ['args.x = 1', 'write `==`'],
    ['args.x === 1', 'write `==`'],
    ['args.x == 1 and args.y == 2', 'write `&&`'],
    ['(args.x == 1 or args.y == 2)', 'write `||`'],
    ['args.x == 1 & args.y == 2', 'write `&&`'],
    ['args.x == 1 | args.y == 2', 'write `||`'],
    ['args.x =~ "^x$"', 'call it on the text, as in `args.x.matches("...")`'],
    ['args.x ~ "^x$"', 'call it on the text, as in `args.x.matches("...")`'],
    ['not has(args.x)', 'write `!`'],
    ['args.x in ("a", "b")', 'a list stands in brackets, as in `x in ["a", "b"]`'],
    ['args.x == 1;', 'leave `;` out'],
    ['args?.x == 1', 'ask with `has(args.x)` before you read `args.x`'],
    ['principal.id == 3', 'a text stands in quotes: `"3"`'],
    ['size(principal.roles) == "3"', 'a number stands without quotes'],
    ['size(principal.roles) in ["3"]', 'a number stands without quotes'],
    ['len(principal.id) > 3', 'write `size(x)`'],
    ['principal.id <> "a"', 'write `!=`'],
    ['has(limit)', 'write `has(args.limit)`'],
    ['principal.id == None', 'write `null`'],
    ['args.x startsWith "a"', 'call it on the text, as in `args.x.startsWith("...")`'],
    ['args.x == “a”', 'write `"` or `\'`'],
    ['args.n.startWith("a")', 'did you mean `startsWith`'],
  ])('%s is answered with help', (text, help) => {
    expect(findings(text)[0]!.help).toBe(help)
  })

  test('no message has a capital, a period at its end, or a word of the machinery', () => {
    for (const text of ['args.x = 1', 'foo(1)', '1 +', 'args.', '[1', '{1:', 'if', '"\\q"', 'a.b(', '1 == "a"', 'x.all(1, 2)']) {
      for (const { message } of findings(text)) {
        expect(message).toMatch(/^[^A-Z]/)
        expect(message).not.toMatch(/\.$|undefined|TypeError|RPAREN|EOF|overload/)
      }
    }
  })
})

describe('lets', () => {
  test('stand where they are used, as if in parentheses', () => {
    expect(evaluate('!x && true', {}, { x: 'false || false' })).toBe(true)
    expect(evaluate('own', { c: 'a1' }, { own: 'args.c == principal.id' })).toBe(true)
  })

  test('what they read, the condition reads; their parts stand in their own text', () => {
    const condition = compiled('x', { x: 'args.a == 1' })
    expect([...condition.reads]).toEqual(['args'])
    expect(condition.spanOf(condition.ast)).toEqual({ file: 'a.policy', start: 1_000, end: 1_011 })
  })

  test('that double each other cannot make a condition large', () => {
    const big = Array(300).fill('args.x == 1').join(' || ')
    expect(codes('x || x || x || x', { x: big })).toEqual(['cel-budget'])
  })

  test.each([
    ['args', 'true', 'cel-let'],
    ['in', 'true', 'cel-let'],
    ['size', 'true', 'cel-let'],
    ['a-b', 'true', 'cel-let'],
    ['a', 'b && true', 'cel-let'],
    ['a', 'a && true', 'cel-let'],
    ['a', 'foo == 1', 'cel-unknown-name'],
  ])('let %s = { %s } is told of as %s', (name, text, code) => {
    const scope = {
      lets: new Map([
        ['a', slice('true')],
        ['b', slice('true')],
      ]),
      variables: new Set(['args']),
    }
    const word = { value: name, quoted: false, span: slice(name).span }
    expect(checkLet(word, slice(text), scope).map(one => one.code)).toEqual([code])
  })

  test('one that cannot be compiled takes the condition with it', () => {
    const made = compileCondition(slice('x'), { lets: new Map([['x', slice('1 +')]]), variables: new Set() })
    expect(made.condition).toBeUndefined()
    expect(made.diagnostics.map(one => one.code)).toEqual(['cel-syntax'])
  })
})

describe('evaluation', () => {
  test('what is absent, or of another type, is an error and never a value', () => {
    for (const args of [{}, { x: null }, { x: [] }, { x: {} }, { x: 'b' }, { x: true }]) {
      expect(evaluate('args.x > 100', args)).toBe('cel-error')
    }
    expect(evaluate('args.x', { x: 1 })).toBe('not-boolean')
  })

  test('names of prototypes are names like others', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'size', 'get']) {
      expect(evaluate(`has(args.${name})`)).toBe(false)
      expect(evaluate(`args.${name} == 1`)).toBe('cel-error')
      expect(evaluate(`"${name}" in args`)).toBe(false)
      const own = JSON.parse(`{"${name}": 1}`) as unknown
      expect(evaluate(`has(args.${name}) && args.${name} == 1 && args["${name}"] == 1 && "${name}" in args`, own)).toBe(true)
    }
  })

  test('integers are exact, and numbers of any kind compare by value', () => {
    expect(evaluate('args.n == 9007199254740993', { n: 9007199254740992 })).toBe(false)
    expect(evaluate('args.n == 1 && args.n == 1.0 && args.n < 1.5 && args.n == 1u', { n: 1 })).toBe(true)
    expect(evaluate('args.n > 1', { n: 1.5 })).toBe(true)
    expect(evaluate('args.n + 9223372036854775807 > 0', { n: 1 })).toBe('cel-error')
    expect(evaluate('-9223372036854775808 < args.n', { n: 1 })).toBe(true)
  })

  test('&& and || absorb errors from either side', () => {
    expect(evaluate('args.x == 1 || true')).toBe(true)
    expect(evaluate('args.x == 1 && false')).toBe(false)
    expect(evaluate('args.x == 1 && true')).toBe('cel-error')
    expect(evaluate('args.a.exists(x, x > 1)', { a: ['s', 2] })).toBe(true)
    expect(evaluate('args.a.all(x, x > 1)', { a: ['s', 2] })).toBe('cel-error')
  })

  test('`matches` finds anywhere, with RE2, also inside comprehensions', () => {
    expect(evaluate('args.x.matches("b+")', { x: 'abbc' })).toBe(true)
    expect(evaluate('matches(args.x, "^b")', { x: 'abbc' })).toBe(false)
    expect(evaluate('args.a.exists(x, x.matches("^(?i)secret"))', { a: ['no', 'SECRETS'] })).toBe(true)
    expect(evaluate('args.x.matches("a")', { x: 1 })).toBe('cel-error')
  })

  test('lowerAscii changes only ASCII', () => {
    expect(evaluate('args.x.lowerAscii() == "aİÄ" && args.x.upperAscii() == "AİÄ"', { x: 'AİÄ' })).toBe(true)
  })

  test('a condition never throws', () => {
    const trap = new Map([
      [
        'args',
        new Proxy(new Map(), {
          get: () => {
            throw new RangeError('no')
          },
        }),
      ],
    ]) as never
    expect(compiled('args.x == 1').evaluate(trap)).toEqual({ error: 'cel-error' })
    const odd = bindings({}, { args: (() => 1) as never })
    expect(compiled('args == {} || args.x == 1').evaluate(odd)).toEqual({ error: 'cel-error' })
  })
})

describe('evaluation in part', () => {
  const partly = (text: string, unknown: readonly string[] = ['args'], args: unknown = {}) =>
    compiled(text).evaluatePartly(bindings(args), new Set(unknown))

  test('what decides does so, whatever the unknown may be', () => {
    expect(partly('args.x == 1')).toBe('unknown')
    expect(partly('args.x == 1 && principal.id == "nobody"')).toBe(false)
    expect(partly('args.x == 1 || principal.id == "a1"')).toBe(true)
    expect(partly('!(args.x == 1) && true')).toBe('unknown')
    expect(partly('has(args.x)')).toBe('unknown')
    expect(partly('principal.id == "a1" ? false : args.x == 1')).toBe(false)
    expect(partly('args.x == 1 ? true : true')).toBe('unknown')
    expect(partly('args.items.all(x, x > 1)')).toBe('unknown')
  })

  test('beside an error the unknown stays unknown', () => {
    expect(partly('principal.name == "x" && args.x == 1')).toBe('unknown')
    expect(partly('principal.name == "x" && true')).toEqual({ error: 'cel-error' })
  })
})

describe('the budget', () => {
  const items = Array.from({ length: 10_000 }, (_, at) => at)

  test('nested walks over 10,000 values are an error', () => {
    expect(evaluate('args.a.exists(x, args.a.exists(y, x + y < 0))', { a: items })).toBe('over-budget')
    expect(evaluate('args.a.exists(x, args.a.exists(y, x + y < 0)) || true', { a: items })).toBe('over-budget')
    expect(evaluate('args.a.exists(x, x < 0)', { a: items })).toBe(false)
  })

  test('hidden loops are paid for: equality, membership, search, patterns, texts that grow', () => {
    const long = 'a'.repeat(100_000)
    expect(evaluate('args.a.all(x, args.a == args.a)', { a: items })).toBe('over-budget')
    expect(evaluate('args.a.all(x, args.a + args.a != [])', { a: items })).toBe('over-budget')
    expect(evaluate('args.a.all(x, !(x + 20000 in args.a))', { a: items })).toBe('over-budget')
    expect(evaluate('args.a.all(x, args.s.contains(args.t))', { a: items, s: long, t: long })).toBe('over-budget')
    expect(evaluate('args.a.all(x, args.s.matches("^(a+)+$"))', { a: items, s: long })).toBe('over-budget')
    expect(evaluate('args.a.map(x, args.s).join("").size() > 0', { a: items, s: long })).toBe('cel-error')
  })

  test('a pattern that is slow for others is an answer here', () => {
    expect(evaluate('args.s.matches("^(a+)+$")', { s: `${'a'.repeat(50_000)}b` })).toBe(false)
  })
})
