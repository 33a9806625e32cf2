// Where in a rule a test stands: whether more calls get through if it holds more often.
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { Condition } from '../cel/condition.ts'
import type { CelNode } from '../cel/node.ts'
import { childrenOf, comprehensionOf } from '../cel/walk.ts'

export interface Standing {
  readonly node: CelNode
  readonly condition: Condition
  /** Holding more often, it widens access; `undefined` where it may do either. */
  readonly widens: boolean | undefined
}

/** Every node of the rule's conditions, once. */
export function* standingsOf(rule: ResolvedRule): Generator<Standing> {
  const allow = rule.effect === 'allow'
  if (rule.when) yield* within(rule.when.ast, rule.when, allow)
  if (rule.unless) yield* within(rule.unless.ast, rule.unless, !allow)
}

function* within(node: CelNode, condition: Condition, widens: boolean | undefined): Generator<Standing> {
  yield { node, condition, widens }
  const flipped = widens === undefined ? undefined : !widens
  const comprehension = comprehensionOf(node)
  if (node.op === '!_') yield* within(node.args, condition, flipped)
  else if (node.op === '&&' || node.op === '||') for (const side of node.args) yield* within(side, condition, widens)
  else if (node.op === '?:') {
    yield* within(node.args[0], condition, undefined)
    yield* within(node.args[1], condition, widens)
    yield* within(node.args[2], condition, widens)
  } else if (comprehension) {
    const same = comprehension.macro === 'all' || comprehension.macro === 'exists'
    yield* within(comprehension.range, condition, undefined)
    for (const part of comprehension.body) yield* within(part, condition, same ? widens : undefined)
  } else for (const child of childrenOf(node)) yield* within(child, condition, undefined)
}
