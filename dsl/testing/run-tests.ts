// Runs the tests that policy files bring: each says what is expected of one call, and is told what was decided instead.
import type { Expectation, Test } from '../ast.ts'
import type { CheckedPolicy } from '../bundle/bundle.ts'
import { writeCall } from '../calls/write-call.ts'
import type { PolicyDecision } from '../decision.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { createEvaluator } from '../evaluator/evaluator.ts'
import type { Lock } from '../lock/lock.ts'
import type { Span } from '../span.ts'
import { type Coverage, createCoverage } from './coverage.ts'
import { factsOfTest } from './test-facts.ts'

export interface TestResult {
  readonly name: string
  readonly span: Span
  readonly expected: string
  /** Absent where the test cannot be run. */
  readonly decided?: string
  /** Absent where it holds. */
  readonly failure?: Diagnostic
}
export interface TestRun {
  readonly results: readonly TestResult[]
  readonly coverage: Coverage
}

export function runTests(policy: CheckedPolicy, context: { readonly now: Date; readonly lock?: Lock | undefined }): TestRun {
  const evaluator = createEvaluator(policy)
  const coverage = createCoverage(policy)
  const names = new Set(policy.rules.map(rule => rule.name))
  const tests = policy.files.flatMap(file => file.items.filter(item => item.kind === 'test'))
  const results = tests.map((test): TestResult => {
    const about = { name: test.name.value, span: test.span, expected: expectationText(test.expect) }
    const read = factsOfTest(test, context.now, context.lock)
    if ('wrong' in read) return { ...about, failure: failed(test, read.wrong, read.span) }
    coverage.see(read.facts)
    const decision = evaluator.decide(read.facts)
    const decided = decisionText(decision)
    if (isMet(test.expect, decision)) return { ...about, decided }
    const unknown = test.expect.by.find(({ value }) => value !== 'default' && !names.has(value))
    const past =
      test.given.length === 0
        ? undefined
        : read.events.map(({ action, server, name, at }) => ({ action, target: `${server}/${name}`, at: new Date(at) }))
    const help =
      unknown === undefined
        ? `mcpgw policy explain --call '${writeCall(read.facts, past).replaceAll("'", String.raw`'\''`)}'`
        : `no rule is called \`${unknown.value}\``
    return { ...about, decided, failure: { ...failed(test, `expected ${about.expected}, decided ${decided}`, test.expect.span), help } }
  })
  return { results, coverage: coverage.tally() }
}

function failed(test: Test, message: string, span: Span): Diagnostic {
  return { code: 'test-failed', severity: 'error', message: `\`${test.name.value}\`: ${message}`, span }
}

/** Every rule and obligation that the test names must be there; there may be more. */
function isMet({ outcome, by, with: duties }: Expectation, decision: PolicyDecision): boolean {
  const deciding = decision.by === 'default' ? ['default'] : decision.by
  const carried = decision.obligations.map(({ name }) => name)
  return (
    outcome === decision.outcome &&
    by.every(({ value }) => deciding.includes(value)) &&
    duties.every(({ value }) => carried.includes(value))
  )
}

function expectationText({ outcome, by, with: duties }: Expectation): string {
  return sentence(
    outcome,
    by.map(({ value }) => value),
    duties.map(({ value }) => value),
  )
}

function decisionText({ outcome, by, obligations, errors }: PolicyDecision): string {
  const text = sentence(outcome, by === 'default' ? ['default'] : by, [...new Set(obligations.map(({ name }) => name))])
  return errors.length === 0 ? text : `${text} (${errors.map(({ rule, code }) => `${code} in ${rule}`).join(', ')})`
}

function sentence(outcome: string, by: readonly string[], duties: readonly string[]): string {
  return `${outcome}${by.length === 0 ? '' : ` by ${by.join(', ')}`}${duties.length === 0 ? '' : ` with ${duties.join(', ')}`}`
}
