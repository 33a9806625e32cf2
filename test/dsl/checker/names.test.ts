// Names that the lock does not have are errors, with the name that was meant; without a lock nothing is claimed.
import { describe, expect, test } from 'vitest'
import { couldBe } from '../../../dsl/checker/resources.ts'
import { lookAlikes, skeletonOf } from '../../../dsl/checker/skeleton.ts'
import { check, lock, server, told, tool } from './fixture.ts'

const allow = (target: string, who = 'role support'): string => `allow a {\n  who ${who}\n  ${target}\n}\n`

test('a pattern that passes names with a `/` by is told', () => {
  const files = server([tool('file/read'), tool('file/write'), tool('list')], {
    prompts: ['a/b', 'ab'].map(name => ({ name, digest: 'd'.repeat(64) })),
  })
  const context = { lock: { ...lock, servers: { ...lock.servers, files } } }
  const deny = (target: string): string => `deny d {\n  ${target}\n  because "x"\n}\n`
  const missed = (text: string): string[] => told(text, context).filter(one => one.startsWith('beyond-slash'))
  expect(missed(deny('call files/*'))[0]).toContain('`files/*` does not reach `files/"file/read"` and `files/"file/write"`')
  expect(missed(deny('call files/l*'))).toEqual([])
  expect(missed(deny('call files/*, files/"file/read", files/"file/write"'))).toEqual([])
  expect(missed(deny('call files/* except files/*l*'))[1]).toContain('`files/*l*` does not reach')
  expect(missed(deny('prompt */*b'))[0]).toContain('`files/"a/b"`')
  expect(missed(deny('method */*'))[0]).toContain('`*/*` means no method of MCP')
  expect(missed(deny('method files/"x/y", files/x call crm/*'))).toEqual([])
})

test('an except that takes nothing out is told, and one that may is not', () => {
  const idle = (text: string, context = {}): string[] => told(text, context).filter(one => one.startsWith('idle-except'))
  const of = (what: string): string => `deny d {\n  ${what}\n  because "x"\n}\n`
  expect(idle(of('call crm/* except crn/delete_*'))).toEqual([
    'idle-except: crn/delete_*: `except crn/delete_*` takes nothing out of what `d` names',
  ])
  expect(idle(of('call gateway/* except */call'))).toHaveLength(1)
  expect(check(of('call gateway/* except */call'), {}).find(({ code }) => code === 'idle-except')?.help).toContain('does not stand for')
  expect(idle(of('call */* except gateway/call'))).toHaveLength(1)
  expect(idle(of('read docs/"file:///a/**" except docs/"file:///b/**"'))).toHaveLength(1)
  expect(idle(of('read docs/"file:///a/**" except docs/"FILE:/a/b/*"'))).toEqual([])
  expect(idle(of('call crm/get_* except crm/*_mail, */get_all'))).toEqual([])
  expect(idle(of('call crm/get_* prompt docs/x* except docs/x'))).toEqual([])
  const set = 'targets s = crm/get_a, git/push\ntargets other = git/*\n'
  expect(idle(`${set}${of('call crm/* except @s')}`)).toEqual([])
  expect(idle(`${set}${of('call crm/* except @other')}`)).toEqual([
    'idle-except: @other: `except @other` takes nothing out of what `d` names',
  ])
})

test('a mistake of grammar in one rule hides nothing of another, and what it may have taken away is not called missing', () => {
  const codes = (text: string): string[] => check(text).map(({ code }) => code)
  const wrong = 'allow w { who role support call crm/get_order when { prinzipal.id == "x" } }\nallow n { call crm/get_order }\n'
  expect(codes(`${wrong}deny d { call }\n`)).toEqual(['cel-unknown-name', 'missing-who', 'syntax'])
  expect(codes('let a = \nallow u { who any call crm/get_order when { a } }\n')).toEqual(['syntax'])
  expect(codes('set s = crm/get_order\nallow u { who any call @s }\n')).toEqual(['syntax'])
  expect(codes('allow c { call crm/get_order }\nwho any }\n')).toEqual(['syntax'])
})

describe('an unknown name', () => {
  test('of a role or tenant is an error at the name, where the lock knows any', () => {
    expect(told(allow('call crm/get_order', 'role suport'))).toEqual(['unknown-role: suport: the lock has no role `suport`'])
    expect(check(allow('call crm/get_order', 'role suport'))[0]).toMatchObject({
      help: 'did you mean `support`?',
      fix: { text: 'support' },
    })
    expect(told(allow('call crm/get_order', 'role support in tenant acne'))[0]).toContain('the lock has no tenant `acne`')
    expect(told(allow('call crm/get_order', 'any except role nobody'))[0]).toContain('no role `nobody`')
    expect(told(allow('call crm/get_order', 'role suport'), { lock: { ...lock, roles: [] } })).toEqual([])
    expect(told(allow('call crm/get_order', 'role suport'), {})).toEqual([])
  })

  test('of a server is an error at the server', () => {
    expect(told(allow('call crn/get_order'))).toEqual(['unknown-server: crn: the lock has no server `crn`'])
    expect(told(allow('call x*/get_order'))).toEqual(['unknown-server: x*: no server of the lock matches `x*`'])
    expect(told(allow('method docz/"sampling/createMessage"'))).toEqual(['unknown-server: docz: the lock has no server `docz`'])
    expect(told(allow('call constructor/x'))).toEqual(['unknown-server: constructor: the lock has no server `constructor`'])
  })

  test('of a tool or prompt is an error at the target, also in sets, exceptions and events', () => {
    expect(told(allow('call crm/get_custmer'))).toEqual(['unknown-tool: crm/get_custmer: the lock has no tool `crm/get_custmer`'])
    expect(check(allow('call crm/get_custmer'))[0]!.help).toBe('did you mean `crm/get_customer`?')
    expect(told(allow('call crm/put_*'))).toEqual(['unknown-tool: crm/put_*: no tool of `crm` in the lock matches `put_*`'])
    expect(told(allow('prompt docs/sumarise_page'))[0]).toContain('no prompt `docs/sumarise_page`')
    expect(told(`targets t = crm/nope\n${allow('call @t')}`)[0]).toContain('unknown-tool: crm/nope')
    expect(told(allow('call crm/get_* except crm/get_x'))[0]).toContain('unknown-tool: crm/get_x')
    expect(told('deny d {\n  call crm/*\n  after call git/git_pull within 1h\n  because "x"\n}\n')[0]).toContain(
      'unknown-tool: git/git_pull',
    )
  })

  test('of a resource is a warning, where nothing listed can be it', () => {
    expect(told(allow('read docs/"file:///handbok/**"'))[0]).toMatch(/^unknown-resource: docs\/"file:\/\/\/handbok/)
    expect(told(allow('read docs/"file:///handbook/**", docs/"wiki://a", docs/*'))).toEqual([])
    expect(couldBe('file:///a/**', 'file:///{path}')).toBe(true)
    expect(couldBe('file:///**.md', 'file:///{path}.txt')).toBe(false)
  })

  test('is not looked for among the tools of the gateway itself', () => {
    expect(told(allow('call gateway/search'))).toEqual([])
  })
})

describe('a glob', () => {
  test('that chooses nothing among the tools of its server is told', () => {
    expect(
      told(`${allow('call git/git_*', 'role admin')}require r {\n  call git/git_push\n  then limit(1, per: 1h, by: principal)\n}\n`),
    ).toEqual(['matches-everything: git/git_*: `git/git_*` matches all 3 tools of `git`'])
    expect(told(allow('call crm/get_*, crm/*'))).toEqual([])
  })
})

describe('look-alikes', () => {
  test('are names of one shape: case, other scripts, digits for letters', () => {
    expect(skeletonOf('get_сustomer')).toBe(skeletonOf('get_customer'))
    expect(skeletonOf('Support')).toBe(skeletonOf('support'))
    expect(skeletonOf('ro1e')).toBe(skeletonOf('role'))
    expect(skeletonOf('rеad\u200b')).toBe(skeletonOf('read'))
    expect(lookAlikes(['a', 'b', 'A'])).toEqual([['a', 'A']])
  })

  test('are told of rules and roles of the bundle', () => {
    const two = `${allow('call crm/get_order', 'role Support')}${allow('call crm/get_order').replace('allow a', 'allow b')}`
    expect(told(two, {})).toEqual(['look-alike: support: the role `support` looks like `Support`'])
    expect(told(`${allow('call crm/get_order')}${allow('call crm/get_customer').replace('allow a', 'allow A')}`)[0]).toContain(
      'the rule `A`',
    )
  })

  test('are told of tools that one allow reaches', () => {
    const other = { ...lock, servers: { crm: server([tool('get_customer'), tool('get_сustomer')]) } }
    expect(told(allow('call crm/get_customer'), { lock: other })[0]).toContain('looks like `get_сustomer` (with U+0441)')
  })
})
