// all, exists, exists_one, map and filter over lists and the keys of maps, each round paid for.
import { Absent, type Cel, heavier, type Result } from './cel-value.ts'
import { countNodes } from './cost.ts'
import { overBudget, type Run } from './run.ts'
import type { Comprehension } from './walk.ts'

type Step = (run: Run) => Result

export function compileComprehension(call: Comprehension, slot: number, range: Step, body: readonly Step[], failed: Absent): Step {
  const cost = 1 + call.body.reduce((sum, one) => sum + countNodes(one), 0)
  const test = body[0]!
  const walk = loops[call.macro](test, body[1], failed)
  return run => {
    const items = itemsOf(range(run), failed)
    if (items instanceof Absent) return items
    return walk(run, items, item => {
      run.slots[slot] = item
      return run.charge(cost)
    })
  }
}

/** Not copied: a walk that ends at once costs one round. */
function itemsOf(value: Result, failed: Absent): Iterable<Cel> | Absent {
  if (value instanceof Absent) return value
  if (Array.isArray(value)) return value as readonly Cel[]
  return value instanceof Map ? (value.keys() as Iterable<Cel>) : failed
}

/** `enter` puts an item in its place; false once the budget is spent. */
type Loop = (run: Run, items: Iterable<Cel>, enter: (item: Cel) => boolean) => Result
type MakeLoop = (test: Step, transform: Step | undefined, failed: Absent) => Loop

const quantifier =
  (decisive: boolean): MakeLoop =>
  (test, _, failed) =>
  (run, items, enter) => {
    let absent: Absent | undefined
    for (const item of items) {
      if (!enter(item)) return overBudget
      const value = test(run)
      if (value === decisive) return decisive
      if (typeof value === 'boolean') continue
      const reason = value instanceof Absent ? value : failed
      absent = absent === undefined ? reason : heavier(absent, reason)
    }
    return absent ?? !decisive
  }

const one: MakeLoop = (test, _, failed) => (run, items, enter) => {
  let count = 0
  for (const item of items) {
    if (!enter(item)) return overBudget
    const value = test(run)
    if (value === true) count++
    else if (value !== false) return value instanceof Absent ? value : failed
  }
  return count === 1
}

const filter: MakeLoop = (test, _, failed) => (run, items, enter) => {
  const kept: Cel[] = []
  for (const item of items) {
    if (!enter(item)) return overBudget
    const value = test(run)
    if (value === true) kept.push(item)
    else if (value !== false) return value instanceof Absent ? value : failed
  }
  return kept
}

/** With two steps the first one filters. */
const map: MakeLoop = (first, second, failed) => (run, items, enter) => {
  const made: Cel[] = []
  for (const item of items) {
    if (!enter(item)) return overBudget
    if (second !== undefined) {
      const wanted = first(run)
      if (wanted === false) continue
      if (wanted !== true) return wanted instanceof Absent ? wanted : failed
    }
    const value = (second ?? first)(run)
    if (value instanceof Absent) return value
    made.push(value)
  }
  return made
}

const loops: Readonly<Record<Comprehension['macro'], MakeLoop>> = {
  all: quantifier(false),
  exists: quantifier(true),
  exists_one: one,
  filter,
  map,
}
