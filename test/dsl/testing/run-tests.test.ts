// Tests in policy files hold or say what was decided instead, and tell which rules and conditions they reach.
import { expect, test } from 'vitest'
import { runTests } from '../../../dsl/testing/run-tests.ts'
import { policyOf } from '../policy-of.ts'

const rules = `policy "p" edition 1
allow read {
  who  role support
  call crm/get_*
  when { has(args.id) && args.id == principal.claims.id }
  then redact("$.ssn"), log(args)
}
deny out {
  call  mail/send
  after call vault/read within 30m
}
allow mail { who role support call mail/send }
`
const now = new Date('2026-11-25T12:00:00Z')
const run = (tests: string) => runTests(policyOf(`${rules}${tests}`), { now })
const as = 'as { "id": "a", "roles": ["support"], "claims": { "id": "1" } }'

test('a test that holds is told with nothing else', () => {
  const { results } = run(`
test "own" { ${as} call crm/get_x { "id": "1" } expect allow by read with redact, log }
test "other" { ${as} call crm/get_x { "id": "2" } expect deny by default }
test "no given is no past" { ${as} call mail/send expect allow by mail }
test "at the edge of the window" { ${as} given call vault/read ago 30m call mail/send expect deny by out }
test "before it" { ${as} given call vault/read ago 31m call mail/send expect allow }
`)
  expect(results.filter(({ failure }) => failure !== undefined)).toEqual([])
  expect(results).toHaveLength(5)
})

test('one that does not says what was decided instead, where, and how to look closer', () => {
  const { results } = run(`
test "wrong outcome" { ${as} at "2026-11-21T10:00:00Z" from "10.0.0.7" call crm/get_x { "id": "1" } expect deny by default }
test "wrong rule" { ${as} call mail/send expect allow by read }
test "no such rule" { ${as} call mail/send expect allow by nobody }
test "no such duty" { ${as} call mail/send expect allow with log }
test "no principal" { as { "roles": 1 } call mail/send expect allow }
test "no time" { ${as} at "noon" call mail/send expect allow }
`)
  expect(results.map(({ failure }) => failure?.message)).toEqual([
    '`wrong outcome`: expected deny by default, decided allow by read with redact, log',
    '`wrong rule`: expected allow by read, decided allow by mail',
    '`no such rule`: expected allow by nobody, decided allow by mail',
    '`no such duty`: expected allow with log, decided allow by mail',
    '`no principal`: `principal.roles` takes a list of texts',
    '`no time`: expected a time like "2026-11-21T10:00:00Z", found `noon`',
  ])
  expect(results[0]!.failure!.help).toBe(
    `mcpgw policy explain --call '{"principal":{"id":"a","roles":["support"],"tenant":"default","claims":{"id":"1"}},"call":"crm/get_x","args":{"id":"1"},"request":{"ip":"10.0.0.7","time":"2026-11-21T10:00:00.000Z"}}'`,
  )
  expect(results[2]!.failure!.help).toBe('no rule is called `nobody`')
})

test('coverage counts rules once and conditions twice, rounded down', () => {
  const { coverage } = run(`
test "own" { ${as} call crm/get_x { "id": "1" } expect allow }
test "mail" { ${as} call mail/send expect allow }
`)
  expect(coverage.rules).toMatchObject({ covered: 2, total: 3, percent: 66 })
  expect(coverage.rules.missing.map(({ rule }) => rule)).toEqual(['out'])
  expect(coverage.conditions).toMatchObject({ covered: 2, total: 4, percent: 50 })
  expect(coverage.conditions.missing.map(({ rule, what }) => `${rule} ${what}`)).toEqual(['read when false', 'out after true'])
})

test('a bundle without tests covers nothing', () => {
  expect(run('').coverage).toMatchObject({ rules: { percent: 0 }, conditions: { percent: 0 } })
})
