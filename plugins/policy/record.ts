// What a decision leaves behind: a note for the record, and counts for operators. Names of rules and codes, never a value.
import type { Exchange, PluginContext } from 'mcpgw/plugin'
import type { PolicyDecision } from 'mcpgw/policy'
import type { Bundle } from './bundle.ts'

/** The note `policy.decision`. */
export interface DecisionNote {
  readonly outcome: 'allow' | 'deny'
  /** The deciding rules, each with the file and line where it stands; empty where it was the default. */
  readonly rules: readonly { readonly rule: string; readonly at: string }[]
  readonly errors?: readonly { readonly rule: string; readonly code: string; readonly at: string }[]
  readonly obligations?: readonly string[]
  readonly shadow?: readonly { readonly rule: string; readonly effect: string }[]
  /** What no rule was asked for: arguments that do not fit, something that is not as the lock has it. */
  readonly refused?: string
  /** Only observed: it was let through. */
  readonly would?: 'deny'
  readonly bundle: string
  readonly catalog?: string
  readonly micros?: number
}

export interface Recorder {
  decided(x: Exchange, bundle: Bundle, catalog: string | undefined, decision: PolicyDecision, micros: number): void
  /** `why`: as the record of a refusal has it. */
  refused(x: Exchange, bundle: Bundle, catalog: string | undefined, why: string): void
}

const BUCKETS = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2]

export function createRecorder({ metrics, log }: Pick<PluginContext, 'metrics' | 'log'>, observes: boolean): Recorder {
  const decisions = metrics.counter('decisions_total', 'Decisions by outcome.', ['outcome'])
  const matches = metrics.counter('rule_matches_total', 'Decisions that a rule took part in.', ['rule'])
  const would = metrics.counter(
    'rule_would_total',
    'Decisions that a rule would have changed: shadow rules, and all of them in observe mode.',
    ['rule'],
  )
  const errors = metrics.counter('rule_errors_total', 'Conditions that could not be evaluated.', ['rule', 'code'])
  const seconds = metrics.histogram('decision_seconds', 'Time for a decision.', BUCKETS)
  const labels = new Map<string, { readonly rule: string }>()
  const labelOf = (rule: string): { readonly rule: string } => {
    let label = labels.get(rule)
    if (label === undefined) {
      label = Object.freeze({ rule })
      labels.set(rule, label)
    }
    return label
  }

  // Most decisions are by one rule. What a note holds is frozen, so that a list that stood in one is taken into the next as it is.
  const lists = new WeakMap<Bundle, Map<string, DecisionNote['rules']>>()
  const listOf = (bundle: Bundle, by: readonly string[]): DecisionNote['rules'] =>
    (by.length === 1 && lists.get(bundle)?.get(by[0]!)) || by.map(rule => ({ rule, at: bundle.rules.get(rule)?.at ?? '' }))
  const keepList = (bundle: Bundle, by: readonly string[], x: Exchange): void => {
    const noted = x.notes.get('policy.decision') as DecisionNote
    const known = lists.get(bundle) ?? new Map<string, DecisionNote['rules']>()
    lists.set(bundle, known.set(by[0]!, noted.rules))
  }

  return {
    decided(x, bundle, catalog, decision, micros) {
      const { outcome, by, obligations, shadow } = decision
      const isObserved = observes && outcome === 'deny'
      seconds.observe(micros / 1e6)
      decisions.inc(OUTCOMES[outcome])
      if (by !== 'default') for (const rule of by) (isObserved ? would : matches).inc(labelOf(rule))
      for (const { rule } of shadow) would.inc(labelOf(rule))
      for (const { rule, code } of decision.errors) errors.inc({ rule, code })
      if (decision.errors.length > 0)
        log.warn('a condition could not be evaluated', {
          callId: x.id,
          rules: decision.errors.map(({ rule, code }) => `${rule}: ${code}`),
        })
      const note: DecisionNote = {
        outcome,
        rules: by === 'default' ? [] : listOf(bundle, by),
        ...(decision.errors.length > 0 && {
          errors: decision.errors.map(({ rule, code }) => ({ rule, code, at: bundle.rules.get(rule)?.at ?? '' })),
        }),
        ...(obligations.length > 0 && { obligations: obligations.map(one => one.name) }),
        ...(shadow.length > 0 && { shadow: shadow.map(({ rule, effect }) => ({ rule, effect })) }),
        ...(isObserved && { would: 'deny' }),
        bundle: bundle.digest,
        ...(catalog !== undefined && { catalog }),
        micros,
      }
      x.note('policy.decision', note)
      if (by !== 'default' && by.length === 1 && !lists.get(bundle)?.has(by[0]!)) keepList(bundle, by, x)
    },
    refused(x, bundle, catalog, why) {
      decisions.inc(OUTCOMES.deny)
      if (observes) would.inc(labelOf(why))
      const note: DecisionNote = {
        outcome: 'deny',
        rules: [],
        refused: why,
        ...(observes && { would: 'deny' }),
        bundle: bundle.digest,
        ...(catalog !== undefined && { catalog }),
      }
      x.note('policy.decision', note)
    },
  }
}

const OUTCOMES = { allow: { outcome: 'allow' }, deny: { outcome: 'deny' } } as const
