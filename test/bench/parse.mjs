// Parses a policy file of 10,000 rules, without and with a mistake in it: `node test/bench/parse.mjs`, after a build. To reach: 500 ms.
import { parsePolicy } from '../../dist/dsl/index.js'
import { median } from './statistics.mjs'

const RULES = 10_000
const ROUNDS = 9

const rule = (/** @type {number} */ i) => `allow rule-${i} {
  who     role role-${i % 50}, role lead in tenant acme
  call    server-${i % 20}/get_${i}_*, crm/search_*
  when    { has(args.limit) && args.limit <= ${i} && args.name.startsWith("a") }
  then    redact("$.ssn"), log(args)
  because "Rule ${i}"
}
`
const text = `policy "bench" edition 1\n\n${Array.from({ length: RULES }, (_, i) => rule(i)).join('\n')}`
const broken = text.replace(`because "Rule ${RULES / 2}"`, 'because Rule')

/** @param {string} source @param {number} findings */
function measure(source, findings) {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now()
    const { diagnostics } = parsePolicy({ file: 'bench.policy', text: source })
    if (diagnostics.length !== findings) throw new Error(`expected ${findings} findings, found ${diagnostics.length}`)
    return performance.now() - start
  })
  return { first: times[0], median: median(times) }
}

for (const [what, source, findings] of /** @type {const} */ ([
  ['sound', text, 0],
  ['with a mistake', broken, 1],
])) {
  const { first, median: middle } = measure(source, findings)
  console.log(`${RULES} rules, ${what}: first ${first.toFixed(0)} ms, median ${middle.toFixed(0)} ms`)
}
