// What Node and the browser worker both do with the same files: parse, check, decide, explain, test, format and report.
import type { Facts, Lock, Source } from 'mcpgw/policy'

/** The built library, by which the work is done. */
export type Library = typeof import('mcpgw/policy')

export interface Work {
  readonly bundle: readonly Source[]
  /** Text of the bundle's lock. */
  readonly lock: string
  /** Files with mistakes, or not well formatted; each is checked alone. */
  readonly drafts: readonly Source[]
  /** JSON, as `mcpgw policy eval --call` takes it. */
  readonly calls: readonly string[]
  /** RFC 3339. */
  readonly now: string
}

/** Plain JSON: from the worker it comes as text. */
export interface Done {
  readonly diagnostics: readonly unknown[]
  readonly decisions: readonly { readonly outcome: string; readonly by: readonly string[] | 'default' }[]
  readonly explanations: readonly unknown[]
  readonly tests: { readonly results: readonly { readonly failure?: unknown }[] }
  readonly ofDrafts: readonly (readonly { readonly code: string }[])[]
  /** One a format, over the drafts. */
  readonly reports: Readonly<Record<string, string>>
  /** Of the bundle, then of the drafts. */
  readonly formatted: readonly { readonly text?: string }[]
}

export function work(library: Library, { bundle, lock: lockText, drafts, calls, now: time }: Work): Done {
  const now = new Date(time)
  const { lock } = library.readLock(lockText, 'mcpgw.lock.json')
  if (lock === undefined) throw new Error('the lock of the bundle is refused')
  const { policy, diagnostics } = library.checkPolicies(bundle, { lock, now })
  if (policy === undefined) throw new Error(`the bundle has errors: ${JSON.stringify(diagnostics)}`)
  const evaluator = library.createEvaluator(policy)
  const facts = calls.map(call => factsOf(library, call, now, lock))
  const ofDrafts = drafts.map(source => library.checkPolicies([source], { lock, now }).diagnostics)
  const report = { diagnostics: ofDrafts.flat(), sources: drafts, failLevel: 'error' } as const
  return plain({
    diagnostics,
    decisions: facts.map(one => evaluator.decide(one)),
    explanations: facts.map(one => evaluator.explain(one)),
    tests: library.runTests(policy, { now, lock }),
    ofDrafts,
    reports: Object.fromEntries(library.reportFormats.map(format => [format, library.renderReport(format, report)])),
    formatted: [...bundle, ...drafts].map(library.formatChecked),
  })
}

function factsOf(library: Library, call: string, now: Date, lock: Lock): Facts {
  const facts = library.readCall(call, { now, lock })
  if ('error' in facts) throw new Error(`${call}: ${facts.error}`)
  return facts
}

function plain(done: object): Done {
  const text = JSON.stringify(done, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    return value instanceof Map || value instanceof Set ? [...value] : value
  })
  return JSON.parse(text) as Done
}
