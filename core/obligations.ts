// Obligations: duties attached to an allow. Finds who carries out each, in a fixed order; one that nobody can is a deny.
import type { Guard } from './guard.ts'
import type { Stack, Step } from './pipeline/stack.ts'
import type { Awaitable, DischargeStage, Obligation } from './plugin/index.ts'

/** What is counted comes before what asks, that before what masks, and what writes down sees the masked. */
const ORDER = ['limit', 'approval', '*', 'redact', 'log']

export function sortObligations(obligations: readonly Obligation[]): readonly Obligation[] {
  return obligations.length < 2 ? obligations : obligations.toSorted((a, b) => rank(a.name) - rank(b.name))
}

function rank(name: string): number {
  const at = ORDER.indexOf(name)
  return at < 0 ? ORDER.indexOf('*') : at
}

/** One obligation with its discharger; undefined where no loaded plugin carries it out. */
export interface Duty {
  readonly obligation: Obligation
  readonly step: Step<'discharge'> | undefined
}

export function findDuties(stack: Stack, obligations: readonly Obligation[]): readonly Duty[] {
  return obligations.map(obligation => ({ obligation, step: stack.dischargers.get(obligation.name) }))
}

/** What the discharger returned, or how it failed. */
export function discharge(guard: Guard, step: Step<'discharge'>, obligation: Obligation, stage: DischargeStage): Awaitable<unknown> {
  return guard.call(step.site, step.run, obligation, Object.freeze(stage))
}
