// One evaluation: what is bound, what is unknown, and how much it may still cost.
import { Absent, type Cel } from './cel-value.ts'
import type { Bindings } from './condition.ts'

/** Steps of one condition: about one node each. */
export const stepBudget = 100_000
/** No text or list of a condition may grow beyond. */
export const sizeLimit = 4_194_304

export const overBudget: Absent = new Absent('over-budget')

export class Run {
  readonly bindings: Bindings
  readonly unknown: ReadonlySet<string> | undefined
  /** Variables of comprehensions, each with a place of its own. */
  readonly slots: Cel[]
  steps: number = stepBudget

  constructor(bindings: Bindings, unknown: ReadonlySet<string> | undefined, slots: number) {
    this.bindings = bindings
    this.unknown = unknown
    this.slots = slots === 0 ? none : Array.from({ length: slots }, () => null)
  }

  /** False where the budget is spent; then the whole condition is over budget, whatever it would have been. */
  charge(steps: number): boolean {
    this.steps -= steps
    return this.steps >= 0
  }
}
const none: Cel[] = []
