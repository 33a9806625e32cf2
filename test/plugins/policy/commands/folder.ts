// The folder in which the tests of the policy verbs run: a clean bundle, one with findings, one that is broken, an older config.

const digest = '0'.repeat(64)
const tool = (name: string, properties: object): object => ({
  name,
  digest,
  inputSchema: { type: 'object', properties, required: Object.keys(properties) },
})

export const files: Readonly<Record<string, string>> = {
  'main.policy': `policy "support-desk" edition 1 owner "secops@acme.example"

allow read-own-customer {
  who     role support
  call    crm/get_*
  when    { args.customer_id == principal.claims.customer_id }
  then    redact("$.ssn"), log(args)
  because "Support reads only the customer on the line"
}

deny no-mail-after-secrets {
  call    mail/send
  after   call crm/get_secret within 30m
  because "Whoever has seen secrets may not send data out"
}

allow mail {
  who     role support
  call    mail/send
}

test "support reads its own customer" {
  as     {
    "id": "a1",
    "roles": ["support"],
    "claims": { "customer_id": "c-1" }
  }
  at     "2026-11-21T10:00:00Z"  from "10.0.0.7"
  call   crm/get_customer { "customer_id": "c-1" }
  expect allow by read-own-customer with redact
}

test "support cannot read another" {
  as     {
    "id": "a1",
    "roles": ["support"],
    "claims": { "customer_id": "c-1" }
  }
  at     "2026-11-21T10:00:00Z"
  call   crm/get_customer { "customer_id": "c-2" }
  expect deny by default
}

test "mail after a secret is denied" {
  as     { "id": "a1", "roles": ["support"] }
  given  call crm/get_secret ago 29m
  at     "2026-11-21T10:00:00Z"
  call   mail/send
  expect deny by no-mail-after-secrets
}

test "mail later is not" {
  as     { "id": "a1", "roles": ["support"] }
  given  call crm/get_secret ago 45m
  at     "2026-11-21T10:00:00Z"
  call   mail/send
  expect allow by mail
}
`,
  'findings.policy': `policy "findings" edition 1
allow update { who role suport
  call crm/get_custome }
deny drop { call crm/get_secret }
test "fails" { as { "id": "a", "roles": ["support"] } at "2026-11-21T10:00:00Z" call crm/get_secret expect allow by update }
`,
  'failing.policy': `policy "failing" edition 1

allow read {
  who     role support
  call    crm/get_customer
  when    { args.customer_id == "c-1" }
}

test "wrong" {
  as     { "id": "a's", "roles": ["support"] }
  at     "2026-11-21T10:00:00Z"
  call   crm/get_customer { "customer_id": "c-2" }
  expect allow by read
}
`,
  'broken.policy': 'policy broken edition 1\nallow read {\n  who role support\n  call crm get\n}\ndeny {\n',
  'mcpgw.lock.json': JSON.stringify({
    v: 1,
    servers: {
      crm: {
        tools: [tool('get_customer', { customer_id: { type: 'string' } }), tool('get_secret', { customer_id: { type: 'string' } })],
        resources: [],
        templates: [],
        prompts: [],
      },
      mail: { tools: [tool('send', {})], resources: [], templates: [], prompts: [] },
    },
    roles: ['support'],
    tenants: [],
    dischargers: ['limit', 'log', 'redact'],
  }),
  'calls.jsonl': `{"principal":{"id":"a1","roles":["support"],"claims":{"customer_id":"c-1"}},"call":"crm/get_customer","args":{"customer_id":"c-1"}}
{"principal":{"id":"a1","roles":["support"]},"call":"mail/send","history":[]}
{"principal":{"id":"a1","roles":["support"]},"call":"mail/send"}

{"principal":{"id":"a1","roles":[]},"call":"mail"}
`,
  'gateway.yaml': `policies:
  - id: reader-policy
    name: "Read-only access"
    roles: [reader]
    rules:
      - tool: "get_*"
        action: allow
      - tool: "search_*"
        action: allow
      - tool: "*"
        action: deny
  - id: admin-policy
    name: "Full access"
    roles: [admin]
    rules:
      - action: allow
`,
  'unkept.yaml': `policies:
  - id: reader
    roles: [reader]
    rules:
      - tool: "get *"
        action: allow
        conditions:
          - {param: q, operator: regex, value: "(?=x)"}
      - tool: "get_\${TENANT}"
        action: allow
`,
}
