// One measurement of the policy language in a process of its own, so that the first run is a first run: `node policy-work.mjs decide|parse|check`. Prints JSON, in ms.
import { checkPolicies, createEvaluator, parsePolicy, readLock, resolveBundle } from '../../dist/dsl/index.js'
import { lockText, policyText, ROLES, toolOf } from './bundle.mjs'
import { median, percentile } from './statistics.mjs'

const TOOLS = 500
const RULES = 1000
const PARSED_RULES = 10_000
const ROUNDS = 7
const CALLS = 5000
const DECISIONS = 200_000

const WORK = { decide, parse, check }
const [what] = process.argv.slice(2)
if (what === undefined || !Object.hasOwn(WORK, what)) throw new Error(`expected one of ${Object.keys(WORK).join(', ')}, found ${what}`)
console.log(JSON.stringify(WORK[/** @type {keyof typeof WORK} */ (what)]()))

/** Arguments of 1 KB; an eighth of the calls is allowed. */
function decide() {
  const parsed = parsePolicy({ file: 'bench.policy', text: policyText(RULES, TOOLS) })
  if (parsed.file === undefined) throw new Error(JSON.stringify(parsed.diagnostics))
  const { bundle, diagnostics } = resolveBundle([parsed.file], new Set())
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics.slice(0, 3)))
  const evaluator = createEvaluator(/** @type {import('../../dist/dsl/index.js').CheckedPolicy} */ (bundle))
  const facts = Array.from({ length: CALLS }, (_, n) => factsOf(n))
  const next = (/** @type {number} */ i) => /** @type {ReturnType<typeof factsOf>} */ (facts[i % CALLS])
  for (let i = 0; i < DECISIONS; i++) evaluator.decide(next(i))
  let allowed = 0
  const times = Array.from({ length: DECISIONS }, (_, i) => {
    const from = performance.now()
    const { outcome } = evaluator.decide(next(i))
    const taken = performance.now() - from
    if (outcome === 'allow') allowed++
    return taken
  })
  if (allowed === 0 || allowed === DECISIONS) throw new Error(`${allowed} of ${DECISIONS} calls were allowed`)
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), allowed: allowed / DECISIONS }
}

/** @param {number} n */
function factsOf(n) {
  return {
    principal: {
      id: `agent-${n}`,
      roles: [`role-${n % ROLES}`, `role-${(n * 7) % ROLES}`],
      tenant: 'acme',
      claims: new Map([['customer', 'c-1']]),
    },
    action: /** @type {const} */ ('call'),
    ...toolOf(n * 13, TOOLS),
    args: new Map(
      /** @type {[string, string | bigint][]} */ ([
        ['customer', n % 3 === 0 ? 'c-2' : 'c-1'],
        ['limit', BigInt(n % 50)],
        ['count', BigInt(n % 5000)],
        ['body', 'x'.repeat(900)],
      ]),
    ),
    request: { time: new Date(), ip: '10.0.0.7' },
  }
}

function parse() {
  const rule = (/** @type {number} */ i) => `allow rule-${i} {
  who     role role-${i % 50}, role lead in tenant acme
  call    server-${i % 20}/get_${i}_*, crm/search_*
  when    { has(args.limit) && args.limit <= ${i} && args.name.startsWith("a") }
  then    redact("$.ssn"), log(args)
  because "Rule ${i}"
}
`
  const text = `policy "bench" edition 1\n\n${Array.from({ length: PARSED_RULES }, (_, i) => rule(i)).join('\n')}`
  const broken = text.replace(`because "Rule ${PARSED_RULES / 2}"`, 'because Rule')
  const sound = timeRounds(() => parsePolicy({ file: 'bench.policy', text }), 0)
  return { ...sound, broken: timeRounds(() => parsePolicy({ file: 'bench.policy', text: broken }), 1).median }
}

function check() {
  const text = policyText(RULES, TOOLS)
  return timeRounds(() => {
    const { lock } = readLock(lockText(TOOLS), 'mcpgw.lock.json')
    if (lock === undefined) throw new Error('the lock is not read')
    const { diagnostics } = checkPolicies([{ file: 'bench.policy', text }], { lock })
    return { diagnostics: diagnostics.filter(({ severity }) => severity === 'error') }
  }, 0)
}

/** @param {() => { diagnostics: readonly unknown[] }} work @param {number} findings */
function timeRounds(work, findings) {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now()
    const { diagnostics } = work()
    const taken = performance.now() - start
    if (diagnostics.length !== findings) throw new Error(`expected ${findings} findings, found ${JSON.stringify(diagnostics.slice(0, 3))}`)
    return taken
  })
  return { first: times[0] ?? Number.NaN, median: median(times) }
}
