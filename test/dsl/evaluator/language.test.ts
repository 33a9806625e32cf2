// The support desk of the reference, from its text to its decisions.
import { expect, test } from 'vitest'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import { factsOf, historyOf, noon, subjectOf } from '../facts-of.ts'
import { policyOf } from '../policy-of.ts'

const { decide } = createEvaluator(
  policyOf(`policy "support-desk" edition 1 owner "secops@acme.example"
let own_customer = { args.customer_id == principal.claims.customer_id }
targets outbound = slack/post_*, email/send_*, http/fetch
allow read-own-customer {
  who     role support, role support-lead in tenant acme
  call    crm/get_*, crm/search_*
  when    { own_customer && (!has(args.limit) || args.limit <= 100) }
  then    redact("$.ssn", "$.cards[*].number"), log(args)
  because "Support reads only the customer on the line (SEC-112)"
}
allow refund {
  who     role support-lead
  call    mcp-stripe/create_refund
  when    { has(args.amount) && args.amount > 0 && args.currency in ["EUR", "USD"] }
  then    limit(20, per: 1h, by: principal)
}
deny protected-branches {
  who     any except role release-manager
  call    git/push, git/merge_*
  unless  { has(args.branch) && args.branch.startsWith("feature/") }
  because "Only feature branches are open"
}
allow talk { who any  call @outbound, git/* }
deny no-exfil-after-secrets {
  call    @outbound
  after   call vault/read_*, read hr/* within 30m
  because "Whoever has seen secrets may not send data out"
}
allow handbook {
  who     role support
  read    docs/"file:///handbook/**"
  prompt  docs/summarise_*
}
allow may-ask-the-model { who any  method docs/"sampling/createMessage" }
shadow deny bulk-export {
  call    */post_*
  when    { has(args.page_size) && args.page_size > 1000 }
}
`),
)
const principal = subjectOf({ claims: new Map([['customer_id', 'c-1']]) })
const quiet = historyOf()

test('each rule of it shows its effect', () => {
  const own = { principal, args: { customer_id: 'c-1', limit: 100n } }
  expect(decide(factsOf('call crm/get_customer', own))).toMatchObject({
    outcome: 'allow',
    by: ['read-own-customer'],
    obligations: [
      { name: 'redact', args: [{ value: '$.cards[*].number' }, { value: '$.ssn' }] },
      { name: 'log', args: [{ value: 'args' }] },
    ],
  })
  expect(decide(factsOf('call crm/get_customer', { principal, args: { customer_id: 'c-2' } }))).toMatchObject({
    outcome: 'deny',
    by: 'default',
  })
  const lead = subjectOf({ roles: ['support-lead'] })
  expect(decide(factsOf('call mcp-stripe/create_refund', { principal: lead, args: { amount: 5n, currency: 'EUR' } })).obligations).toEqual([
    { name: 'limit', args: [{ value: 20 }, { name: 'per', value: '1h' }, { name: 'by', value: 'principal' }] },
  ])
  expect(decide(factsOf('call git/push', { args: { branch: 'main' } }))).toMatchObject({
    by: ['protected-branches'],
    because: 'Only feature branches are open',
  })
  expect(decide(factsOf('call git/push', { args: { branch: 'feature/x' } })).outcome).toBe('allow')
  expect(decide(factsOf('call git/push', { principal: subjectOf({ roles: ['release-manager'] }) })).outcome).toBe('allow')
  const spied = historyOf(['read', 'hr', 'file:///salaries', noon.getTime() - 30 * 60_000])
  expect(decide(factsOf('call slack/post_message', { history: spied }))).toMatchObject({ by: ['no-exfil-after-secrets'] })
  expect(decide(factsOf('call slack/post_message', { history: quiet, args: { page_size: 5000n } }))).toMatchObject({
    outcome: 'allow',
    by: ['talk'],
    shadow: [{ rule: 'bulk-export', effect: 'deny' }],
  })
  expect(decide(factsOf('read docs/file:///handbook/a/b.md')).outcome).toBe('allow')
  expect(decide(factsOf('read docs/file:///handbook/../secrets')).outcome).toBe('deny')
  expect(decide(factsOf('prompt docs/summarise_page')).outcome).toBe('allow')
  expect(decide(factsOf('method docs/sampling/createMessage')).by).toEqual(['may-ask-the-model'])
  expect(decide(factsOf('method docs/elicitation/create')).outcome).toBe('deny')
})
