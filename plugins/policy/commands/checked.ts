// A bundle ready to decide, for the verbs that try calls; one with errors is shown and refused whole.
import { builtInDischargers, type CheckedPolicy, checkPolicies, countFindings, renderReport, sortDiagnostics } from 'mcpgw/policy'
import { type Inputs, type Io, readInputs } from './inputs.ts'

export interface Ready {
  readonly policy: CheckedPolicy
  readonly inputs: Inputs
  readonly now: Date
}

/** `unread`: a file cannot be read; `refused`: the bundle has errors. Stderr says which. */
export async function readChecked(io: Io): Promise<Ready | 'unread' | 'refused'> {
  const inputs = await readInputs(io)
  if (inputs === undefined) return 'unread'
  const { sources, lock, lockFindings, lockSource } = inputs
  const now = new Date(io.clock.now())
  const dischargers = new Set([...builtInDischargers, ...(lock?.dischargers ?? [])])
  const { policy, diagnostics } = checkPolicies(sources, { ...(lock && { lock }), dischargers, now })
  const texts = [...sources, ...(lockSource === undefined ? [] : [lockSource])]
  const errors = sortDiagnostics([...lockFindings, ...diagnostics], texts).filter(one => one.severity === 'error')
  if (errors.length === 0 && policy !== undefined) return { policy, inputs, now }
  io.err(renderReport('pretty', { diagnostics: errors, sources: texts, failLevel: 'error' }))
  io.err(`\nthe bundle is refused: ${countFindings(errors)}`)
  return 'refused'
}
