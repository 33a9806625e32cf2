// Speed of a decision at 1,000 rules and 500 tools, arguments of 1 KB: `npm run build && node test/bench/policy.mjs`.
import { createEvaluator, parsePolicy, resolveBundle } from '../../dist/dsl/index.js'
import { percentile } from './statistics.mjs'

const RULES = 1000
const TOOLS = 500
const SERVERS = 20
const ROLES = 40
const DECISIONS = 200_000
/** Microseconds. */
const MUST = { p50: 20, p99: 100 }

const toolOf = n => ({ server: `server-${n % SERVERS}`, name: `${['get', 'search', 'update', 'delete'][n % 4]}_thing_${n}` })

/** A third by exact name, a third by pattern, and guards over all servers; half of them with conditions. */
function ruleOf(n) {
  const { server, name } = toolOf(n % TOOLS)
  const role = `role-${n % ROLES}`
  if (n % 100 === 0)
    return `deny guard-${n} {\n  call */delete_*\n  when { has(args.count) && args.count > ${1000 + n} }\n  because "too many"\n}`
  if (n % 10 === 1) return `require note-${n} {\n  call ${server}/${name}\n  then log(args)\n}`
  const target = n % 2 === 0 ? `${server}/${name}` : `${server}/${name.split('_')[0]}_*`
  const when = n % 4 < 2 ? `  when { args.customer == principal.claims.customer && (!has(args.limit) || args.limit <= ${n}) }\n` : ''
  return `allow rule-${n} {\n  who role ${role}, role ${role}-lead in tenant acme\n  call ${target}\n${when}}`
}

const text = `policy "bench" edition 1\n${Array.from({ length: RULES }, (_, n) => ruleOf(n)).join('\n')}\n`
const parsed = parsePolicy({ file: 'bench.policy', text })
const { bundle, diagnostics } = resolveBundle([parsed.file], new Set(['log']))
if (parsed.diagnostics.length + diagnostics.length > 0) throw new Error(JSON.stringify([...parsed.diagnostics, ...diagnostics].slice(0, 3)))

const evaluator = createEvaluator(bundle)
const claims = new Map([['customer', 'c-1']])
const factsOf = n => ({
  principal: { id: `agent-${n}`, roles: [`role-${n % ROLES}`, `role-${(n * 7) % ROLES}`], tenant: 'acme', claims },
  action: 'call',
  ...toolOf((n * 13) % TOOLS),
  args: new Map([
    ['customer', n % 3 === 0 ? 'c-2' : 'c-1'],
    ['limit', BigInt(n % 50)],
    ['count', BigInt(n % 5000)],
    ['body', 'x'.repeat(900)],
  ]),
  request: { time: new Date(), ip: '10.0.0.7' },
})
const facts = Array.from({ length: 5000 }, (_, n) => factsOf(n))

let allowed = 0
const times = new Float64Array(DECISIONS)
for (let i = 0; i < DECISIONS; i++) evaluator.decide(facts[i % facts.length])
for (let i = 0; i < DECISIONS; i++) {
  const from = performance.now()
  const { outcome } = evaluator.decide(facts[i % facts.length])
  times[i] = (performance.now() - from) * 1000
  if (outcome === 'allow') allowed++
}
for (const [name, share] of [
  ['p50', 0.5],
  ['p99', 0.99],
]) {
  const us = percentile(times, share)
  console.log(`decision ${name}: ${us.toFixed(2)} µs (must ${MUST[name]}: ${us <= MUST[name] ? 'ok' : 'miss'})`)
}
console.log(`${RULES} rules, ${TOOLS} tools, ${((100 * allowed) / DECISIONS).toFixed(0)} % allowed`)
