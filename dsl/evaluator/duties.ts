// Obligations of all matched rules as one list: the union, the most restrictive of each kind.
import type { Duty } from '../decision.ts'

const LEVELS = ['meta', 'args', 'full']
const NONE: readonly Duty[] = []

/** In an order of its own, so that the order of rules does not show. Each list was merged before, or is of one rule. */
export function mergeDuties(lists: readonly (readonly Duty[])[]): readonly Duty[] {
  if (lists.length === 0) return NONE
  if (lists.length === 1) return lists[0]!
  const paths = new Set<string | number>()
  const others = new Map<string, Duty>()
  let level = -1
  for (const duty of lists.flat()) {
    if (duty.name === 'redact') for (const { value } of duty.args) paths.add(value)
    else if (duty.name === 'log') level = Math.max(level, LEVELS.indexOf(String(duty.args[0]?.value)))
    else others.set(JSON.stringify([duty.name, ...duty.args.map(({ name, value }) => [name ?? null, value])]), duty)
  }
  const merged = [...others].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, duty]) => duty)
  if (paths.size > 0) merged.push({ name: 'redact', args: [...paths].toSorted(byText).map(value => ({ value })) })
  if (level >= 0) merged.push({ name: 'log', args: [{ value: LEVELS[level]! }] })
  return merged
}

/** Those of one rule in the same form, e.g. of two `redact`. */
export function mergeOwn(duties: readonly Duty[]): readonly Duty[] {
  return duties.length === 0 ? NONE : mergeDuties([duties, NONE])
}

function byText(a: string | number, b: string | number): number {
  return String(a) < String(b) ? -1 : 1
}
