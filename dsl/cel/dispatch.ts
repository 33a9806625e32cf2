// Calls the overload of a function that takes the values that are there.
import { Absent, type Cel, heavier, kindOf, type Result } from './cel-value.ts'
import type { Overload } from './overload.ts'
import { overBudget, type Run } from './run.ts'

type Step = (run: Run) => Result
type Native = (run: Run, ...args: readonly Cel[]) => Cel | undefined

export function dispatch(steps: readonly Step[], overloads: readonly Overload[], failed: Absent): Step {
  const answer = (run: Run, result: Cel | undefined): Result => {
    if (run.steps < 0) return overBudget
    return result === undefined ? failed : result
  }
  const [first, second] = steps
  if (steps.length === 1) {
    return run => {
      const a = first!(run)
      if (a instanceof Absent) return a
      const kind = kindOf(a)
      for (const one of overloads) if (takes(one, 0, kind)) return answer(run, native(one)(run, a))
      return failed
    }
  }
  if (steps.length === 2) {
    return run => {
      const a = first!(run)
      const b = second!(run)
      if (a instanceof Absent) return b instanceof Absent ? heavier(a, b) : a
      if (b instanceof Absent) return b
      const [left, right] = [kindOf(a), kindOf(b)]
      for (const one of overloads) if (takes(one, 0, left) && takes(one, 1, right)) return answer(run, native(one)(run, a, b))
      return failed
    }
  }
  return run => {
    const args: Cel[] = []
    let absent: Absent | undefined
    for (const step of steps) {
      const value = step(run)
      if (value instanceof Absent) absent = absent === undefined ? value : heavier(absent, value)
      else args.push(value)
    }
    if (absent !== undefined) return absent
    for (const one of overloads) if (args.every((value, at) => takes(one, at, kindOf(value)))) return answer(run, native(one)(run, ...args))
    return failed
  }
}

const takes = (one: Overload, at: number, kind: ReturnType<typeof kindOf>): boolean => one.takes[at] === kind || one.takes[at] === 'dyn'
const native = (one: Overload): Native => one.run as unknown as Native
