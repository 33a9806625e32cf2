// The checker reads whatever there is: mutated bundles give findings with places in their text, never a throw.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkPolicies } from '../../../dsl/checker/check.ts'
import { renderReport, reportFormats } from '../../../dsl/diagnostics/render.ts'
import { lock } from './fixture.ts'

const runs = Number(process.env.FUZZ_RUNS ?? (process.env.CI === undefined ? 300 : 2000))
const seed = Number(process.env.FUZZ_SEED ?? 4)

const text = `policy "support-desk" edition 1 owner "secops@acme.example"
let own = { args.customer_id == principal.claims.customer_id }
targets reads = crm/get_*, git/git_log
allow read {
  who     role support, role admin in tenant acme except agent "x"
  call    @reads except crm/get_order
  when    { own && (!has(args.limit) || args.limit <= 100) }
  then    redact("$.ssn"), log(args), limit(20, per: 1h, by: principal)
  because "SEC-112"
  expires 2027-03-31
}
require sure {
  call git/git_push
  then log(full)
}
deny out {
  who any except role admin
  call git/*
  unless { has(args.branch) && args.branch.matches("^feature/[a-z]+$") }
  after call crm/*, read docs/"wiki://**" within 1h30m
  because "no"
}
shadow deny bulk {
  read docs/"file:///handbook/**"
  prompt docs/summarise_*
  method docs/"sampling/createMessage"
}
test "one" {
  as { "id": "a1", "roles": ["support"], "claims": { "customer_id": "c-1" } }
  given call git/git_push ago 45m
  at "2026-11-21T10:00:00Z" from "10.0.0.7"
  call crm/get_customer { "customer_id": "c-2" }
  expect deny by default
}
`
const words = [...new Set(text.match(/[A-Za-z_]+|"[^"\n]*"|[^\sA-Za-z_]/g))]

/** Cuts, doublings, swaps and words from elsewhere, at any place. */
const mutation = fc.record({
  at: fc.nat(),
  length: fc.nat({ max: 60 }),
  put: fc.oneof(
    fc.constantFrom(...words),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('', '{', '}', '"', '/', '*', '@', '\u0000'),
  ),
})
function mutate(before: string, changes: readonly { at: number; length: number; put: string }[]): string {
  return changes.reduce((now, { at, length, put }) => {
    const from = at % (now.length + 1)
    return now.slice(0, from) + put + now.slice(from + length)
  }, before)
}

test(`mutated bundles are checked (${runs} runs, FUZZ_SEED=${seed})`, { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, locked) => {
      const source = { file: 'p.policy', text: mutate(text, changes) }
      const { diagnostics, policy } = checkPolicies([source], { now: new Date('2026-11-25T12:00:00Z'), ...(locked ? { lock } : {}) })
      expect(policy === undefined).toBe(diagnostics.some(one => one.severity === 'error'))
      for (const { span, message } of diagnostics) {
        expect([span.file, span.start >= 0, span.end >= span.start, span.end <= source.text.length]).toEqual(['p.policy', true, true, true])
        expect(message).not.toMatch(/undefined|\[object|TypeError/)
      }
      for (const format of reportFormats) renderReport(format, { diagnostics, sources: [source], failLevel: 'warning' })
    }),
    { numRuns: runs, seed },
  )
})

test('the text that is mutated is clean but for what it is told of', () => {
  const { diagnostics } = checkPolicies([{ file: 'p.policy', text }], { now: new Date('2026-11-25T12:00:00Z') })
  expect(diagnostics.filter(one => one.severity === 'error')).toEqual([])
})
