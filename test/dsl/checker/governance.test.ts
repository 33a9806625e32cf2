// Rules that work but that nobody should have to live with are warned of; hints never fail.
import { describe, expect, test } from 'vitest'
import { check, lock, told } from './fixture.ts'

const allow = (more: string, target = 'call crm/get_order'): string => `allow a {\n  who role support\n  ${target}\n  ${more}\n}\n`
const covered = 'test "t" {\n  as { "id": "x", "roles": ["support"] }\n  call crm/get_order\n  expect allow by a\n}\n'

describe('a deny', () => {
  test('says why, unless it only measures', () => {
    expect(told('deny d {\n  call crm/*\n}\n')).toEqual(['deny-without-because: d: `d` denies without a reason'])
    expect(told('shadow deny d {\n  call crm/*\n}\n')).toEqual([])
    expect(told('deny d {\n  call crm/*\n  because "x"\n}\n')).toEqual([])
  })
})

describe('an expiry', () => {
  test('is told when it has come, and 30 days before', () => {
    expect(told(allow('expires 2026-11-24'))).toEqual(['expired: a: `a` allowed until 2026-11-24 and allows nothing any more'])
    expect(told(allow('expires 2026-11-25'))).toEqual(['expires-soon: a: `a` allows until 2026-11-25 only: 1 day from now'])
    expect(told(allow('expires 2026-12-24'))[0]).toContain('30 days from now')
    expect(told(allow('expires 2026-12-26'))).toEqual([])
  })
})

describe('an allow', () => {
  test('of every tool is told, by its pattern or by the lock', () => {
    const all = check(allow('', 'call */*'))
    expect(all.find(one => one.code === 'allow-all')).toMatchObject({
      code: 'allow-all',
      message: '`a` allows every tool of every server to role `support`',
    })
    expect(told(allow('', 'call */*'), {}).length).toBe(1)
    expect(
      told(allow('', 'call crm/*, git/*, docs/*'), { lock: { ...lock, servers: { ...lock.servers, docs: lock.servers.crm! } } }),
    ).toContain('allow-all: a: `a` allows all 9 tools that the lock has to role `support`')
    expect(told(allow('', 'call */* except git/*'))).toEqual([])
    expect(told(allow('when { principal.id == "x" }', 'call crm/*, docs/*'))).not.toContain('allow-all')
  })

  test('of a destructive tool asks for a limit, its own or that of a require', () => {
    expect(told(allow('', 'call git/*'))).toEqual([
      'destructive-allowed: a: `a` allows `git/git_push`, which is destructive, without approval or limit',
    ])
    expect(check(allow('', 'call git/*')).find(one => one.code === 'destructive-allowed')!.witness).toEqual({
      principal: { id: 'somebody', roles: ['support'] },
      call: 'git/git_push',
      args: {},
    })
    expect(told(allow('then limit(1, per: 1h, by: principal)', 'call git/*'))).toEqual([])
    expect(told(`${allow('', 'call git/*')}require r {\n  call git/git_push\n  then limit(1, per: 1h, by: principal)\n}\n`)).toEqual([])
    expect(told(allow('', 'call git/git_log'))).toEqual([])
  })
})

describe('coverage', () => {
  test('is a hint a rule where there are tests, and one where there are none', () => {
    const hints = (text: string): string[] => check(text).flatMap(one => (one.code === 'not-covered' ? [one.message] : []))
    expect(hints(allow('') + allow('').replace('allow a', 'allow b'))).toEqual(['no test of the bundle says what its rules do'])
    expect(hints(allow('') + allow('', 'call crm/get_customer').replace('allow a', 'allow b') + covered)).toEqual(['no test matches `b`'])
    expect(hints(allow('') + covered)).toEqual([])
  })
})

describe('drift', () => {
  test('tells tools that came under an old glob, and definitions that changed, each once', () => {
    const [first, ...rest] = lock.servers.crm!.tools
    const live = {
      ...lock,
      servers: {
        ...lock.servers,
        crm: { ...lock.servers.crm!, tools: [{ ...first!, digest: 'f'.repeat(64) }, ...rest, { ...first!, name: 'get_secrets' }] },
      },
    }
    expect(told(allow('', 'call crm/get_*'), { lock, live })).toEqual([
      'schema-changed: crm/get_*: `crm/get_customer`, which `a` allows, is not defined as the lock has it',
      'tool-added: crm/get_*: `crm/get_secrets` has come since the lock was written, and `a` allows it by `crm/get_*`',
    ])
    expect(told(allow('', 'call crm/search_*'), { lock, live })).toEqual([])
    expect(told('deny d {\n  call crm/*\n  because "x"\n}\n', { lock, live })).toEqual([])
  })
})

describe('without a lock', () => {
  test('one hint says that names and types are not checked', () => {
    expect(check(allow(''), {}).filter(one => one.code === 'no-lock')).toHaveLength(1)
    expect(check(allow('')).filter(one => one.code === 'no-lock')).toEqual([])
  })
})

describe('style', () => {
  test('is a hint at the first line that the formatter would change', () => {
    const hint = check('allow a {\n  who role support\n  call     crm/get_order\n}\n').find(one => one.code === 'style')
    expect(hint).toMatchObject({ severity: 'hint', help: 'run `mcpgw policy fmt`' })
  })
})
