// Every rule is whole, or the bundle says what it lacks.
import { describe, expect, test } from 'vitest'
import { resolveBundle } from '../../../dsl/bundle/resolve.ts'
import { codesOf, dischargers, policyOf, type WrittenRule, write } from '../written.ts'

const on = [{ action: 'call' as const, targets: ['crm/*'] }]
const allow: WrittenRule = { effect: 'allow', name: 'a', who: ['any'], on }
const rule = (change: Partial<WrittenRule>): readonly string[] => codesOf({ rules: [{ ...allow, ...change }] })
const { who: _, ...nobody } = allow

describe('a rule', () => {
  test.each<[string, WrittenRule, string[]]>([
    ['that is whole', allow, []],
    ['allow without who', nobody, ['missing-who']],
    ['deny without who', { ...nobody, effect: 'deny' }, []],
    ['without a target', { ...allow, on: [] }, ['missing-target']],
    ['require without then', { ...allow, effect: 'require' }, ['missing-then']],
    ['deny with then', { ...allow, effect: 'deny', duties: [['log', 'full']] }, ['then-on-deny']],
    ['deny that expires', { ...allow, effect: 'deny', expires: '2027-01-01' }, ['expires-on-guard']],
    ['called default', { ...allow, name: 'default' }, ['reserved-name']],
    ['with a set that is not there', { ...allow, on: [{ action: 'call', targets: ['@x'] }] }, ['unknown-set']],
    ['with a uri without quotes', { ...allow, on: [{ action: 'read', targets: ['docs/x*'] }] }, ['bad-pattern']],
    ['with dots in a uri', { ...allow, on: [{ action: 'read', targets: [['docs', 'file:///a/../**']] }] }, ['bad-pattern']],
    ['with a pattern in place of a scheme', { ...allow, on: [{ action: 'read', targets: [['web', '*://host/**']] }] }, ['bad-pattern']],
    ['with a pattern in a scheme', { ...allow, on: [{ action: 'read', targets: [['web', 'http*://host/**']] }] }, ['bad-pattern']],
    ['with a pattern up to a root', { ...allow, on: [{ action: 'read', targets: [['web', '**:/hr/**']] }] }, ['bad-pattern']],
    ['with patterns behind a scheme', { ...allow, on: [{ action: 'read', targets: [['web', 'https://*.host/*/**']] }] }, []],
    ['with a pattern of any uri', { ...allow, on: [{ action: 'read', targets: [['web', '**/hr/**']] }] }, []],
    ['that names no role', { ...allow, who: ['role '] }, ['syntax']],
    ['that is for nobody', { ...allow, who: ['role a in tenant '] }, ['syntax']],
    ['that excepts nobody', { ...allow, notWho: ['agent '] }, ['syntax']],
    ['with an empty name', { ...allow, on: [{ action: 'call', targets: [['docs', '']] }] }, ['bad-pattern']],
    [
      'with a variable of other targets',
      { ...allow, on: [{ action: 'read', targets: ['docs/*'] }], when: 'args.x == 1' },
      ['cel-unavailable'],
    ],
    ['with a name of nothing', { ...allow, when: 'nothing == 1' }, ['cel-unknown-name']],
  ])('%s', (_name, written, codes) => {
    expect(codesOf({ rules: [written] })).toEqual(codes)
  })

  test('with several mistakes says all of them', () => {
    expect(codesOf({ rules: [{ effect: 'allow', name: 'default', when: 'x ==' }] })).toEqual([
      'reserved-name',
      'missing-who',
      'missing-target',
      'cel-syntax',
    ])
  })
})

describe('obligations', () => {
  test.each<[NonNullable<WrittenRule['duties']>[number], string[]]>([
    [['redact', '$.a', '$["x y"][*].b'], []],
    [['redact'], ['bad-obligation']],
    [['redact', 'ssn'], ['bad-obligation']],
    [['redact', '$'], ['bad-obligation']],
    [['log', 'args'], []],
    [['log', 'all'], ['bad-obligation']],
    [['log'], ['bad-obligation']],
    [['limit', 20, ['per', '1h'], ['by', 'principal']], []],
    [['limit', 20, ['per', '1h']], []],
    [['limit', 20, ['by', 'principal']], ['bad-obligation']],
    [['limit', 20, ['per', 3]], ['bad-obligation']],
    [['limit', 20, ['per', '1h'], ['by', 'moon']], ['bad-obligation']],
    [['approval', ['by', 'role:x'], ['timeout', '1h']], []],
    [['approval'], ['bad-obligation']],
    [['watermark', 'anything', 3], []],
    [['teleport'], ['unknown-obligation']],
  ])('%j', (then, codes) => {
    expect(rule({ duties: [then] })).toEqual(codes)
  })
})

describe('a bundle', () => {
  test('has each rule name once, over all files', () => {
    const { diagnostics } = resolveBundle([write({ rules: [allow] }), write({ name: 'b.policy', rules: [allow] })], dischargers)
    expect(diagnostics).toMatchObject([{ code: 'duplicate-name', span: { file: 'b.policy' }, labels: [{ span: { file: 'a.policy' } }] }])
  })

  test('keeps lets and sets to their files, sets without sets, and lets without lets', () => {
    const sets = { out: ['slack/post_*'], in: ['@out'] }
    expect(codesOf({ sets, rules: [{ ...allow, on: [{ action: 'call', targets: ['@out'] }] }] })).toEqual(['nested-set'])
    expect(codesOf({ lets: { own: 'args.x == 1', two: 'own' }, rules: [allow] })).toEqual(['cel-let'])
    const uses = write({ name: 'b.policy', rules: [{ ...allow, name: 'b', when: 'own' }] })
    expect(resolveBundle([write({ lets: { own: 'true' }, rules: [allow] }), uses], dischargers).diagnostics).toMatchObject([
      { code: 'cel-unknown-name' },
    ])
  })

  test('says whether an edition is one it knows', () => {
    const file = write({ rules: [allow] })
    const newer = { ...file, edition: { ...file.edition, value: 2 } }
    expect(resolveBundle([newer], dischargers).diagnostics).toMatchObject([{ code: 'unknown-edition' }])
  })

  test('holds sets expanded, and events as texts that are equal where the events are', () => {
    const [first] = policyOf({
      sets: { out: ['slack/post_*', 'email/send'] },
      rules: [
        {
          ...allow,
          on: [{ action: 'call', targets: ['@out'], except: ['slack/post_x'] }],
          after: {
            events: [
              ['call', '@out'],
              ['read', ['hr', 'file:///**']],
            ],
            withinMs: 1,
          },
        },
      ],
    }).rules
    expect(first!.targets.map(({ server, name }) => `${server}/${name}`)).toEqual(['slack/post_*', 'email/send'])
    expect(first!.notTargets).toHaveLength(1)
    expect(first!.after!.events.map(({ text }) => text)).toEqual(['call slack/post_*', 'call email/send', 'read hr/"file:///**"'])
  })
})
