// What a condition may cost at worst, before it is ever run.
import type { CelNode } from './node.ts'
import { stepBudget } from './run.ts'
import { childrenOf, comprehensionOf, pathOf, walk } from './walk.ts'

export const deepest = 2
/** Taken for lists whose length nobody says; longer ones meet the budget when they come. */
export const assumedLength = 50

export function countNodes(node: CelNode): number {
  let count = 0
  for (const _ of walk(node)) count++
  return count
}

export function comprehensionDepth(node: CelNode): number {
  const comprehension = comprehensionOf(node)
  if (comprehension === undefined) return Math.max(0, ...childrenOf(node).map(comprehensionDepth))
  return Math.max(comprehensionDepth(comprehension.range), 1 + Math.max(...comprehension.body.map(comprehensionDepth)))
}

/** Longest length of the list at a path such as [`args`, `items`], where something says so. */
export type LengthOf = (path: readonly string[]) => number | undefined

/** Steps at worst; compare with `stepBudget`. */
export function worstSteps(node: CelNode, lengthOf: LengthOf = () => undefined): number {
  const comprehension = comprehensionOf(node)
  if (comprehension === undefined) return 1 + childrenOf(node).reduce((sum, child) => sum + worstSteps(child, lengthOf), 0)
  const body = comprehension.body.reduce((sum, one) => sum + worstSteps(one, lengthOf), 0)
  return worstSteps(comprehension.range, lengthOf) + 1 + lengthAt(comprehension.range, lengthOf) * (1 + body)
}

function lengthAt(range: CelNode, lengthOf: LengthOf): number {
  if (range.op === 'list' || range.op === 'map') return range.args.length
  const inner = comprehensionOf(range)
  if (inner !== undefined) return lengthAt(inner.range, lengthOf)
  const path = pathOf(range)
  return (path && lengthOf(path)) ?? assumedLength
}

export const affordable = (steps: number): boolean => steps <= stepBudget
