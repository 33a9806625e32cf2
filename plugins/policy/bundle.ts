// A bundle in force: the policy files checked as one, ready to decide; or everything that is wrong with them.
import { createHash } from 'node:crypto'
import {
  type CheckedPolicy,
  createEvaluator,
  type Diagnostic,
  type Evaluator,
  type EventMatcher,
  type Lock,
  loadPolicies,
  positionOf,
  type Source,
} from 'mcpgw/policy'

export interface Bundle {
  readonly policy: CheckedPolicy
  readonly evaluator: Evaluator
  /** Of all texts and their names. */
  readonly digest: string
  readonly files: number
  readonly rules: ReadonlyMap<string, RuleFacts>
  /** Events that some rule asks `after`, each once. */
  readonly watched: readonly EventMatcher[]
  /** How far back the longest of them looks. */
  readonly withinMs: number
  /** Some condition reads `session`. */
  readonly asksSession: boolean
}
/** `at`: `file:line`. */
export interface RuleFacts {
  readonly name: string
  readonly effect: 'allow' | 'deny' | 'require'
  readonly at: string
}
export interface Refused {
  /** Each `file:line:column: severity[code]: message`. */
  readonly findings: readonly string[]
  readonly digest: string
}

export interface BundleContext {
  readonly lock: Lock | undefined
  readonly dischargers: ReadonlySet<string>
  readonly now: Date
}

export function compileBundle(sources: readonly Source[], { lock, dischargers, now }: BundleContext): Bundle | Refused {
  const digest = digestOf(sources)
  const texts = new Map(sources.map(({ file, text }) => [file, text]))
  const { diagnostics, policy } = loadPolicies(sources, { ...(lock && { lock }), dischargers, now })
  const show = (one: Diagnostic): string => render(one, texts.get(one.span.file) ?? '')
  if (policy === undefined) return { findings: diagnostics.filter(one => one.severity === 'error').map(show), digest }
  const rules = policy.rules.map(({ name, effect, nameSpan }): [string, RuleFacts] => {
    const { line } = positionOf(texts.get(nameSpan.file) ?? '', nameSpan.start)
    return [name, Object.freeze({ name, effect, at: `${nameSpan.file}:${line}` })]
  })
  const afters = policy.rules.flatMap(({ after }) => (after === undefined ? [] : [after]))
  return {
    policy,
    evaluator: createEvaluator(policy),
    digest,
    files: sources.length,
    rules: new Map(rules),
    watched: [...new Map(afters.flatMap(({ events }) => events.map(one => [one.text, one] as const))).values()],
    withinMs: Math.max(0, ...afters.map(one => one.withinMs)),
    asksSession: policy.rules.some(({ when, unless }) => when?.reads.has('session') === true || unless?.reads.has('session') === true),
  }
}

export function isRefused(one: object): one is Refused {
  return 'findings' in one
}

/** Names are told apart from texts by their lengths. */
export function digestOf(sources: readonly Source[]): string {
  const hash = createHash('sha256')
  for (const { file, text } of sources) hash.update(`${file.length} ${text.length} ${file}${text}`)
  return `sha256:${hash.digest('hex')}`
}

function render({ code, severity, message, span, help }: Diagnostic, text: string): string {
  const { line, column } = positionOf(text, span.start)
  return `${span.file}:${line}:${column}: ${severity}[${code}]: ${message}${help === undefined ? '' : ` (${help})`}`
}
