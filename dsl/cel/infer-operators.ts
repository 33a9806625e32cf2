// What operators give for the types of their operands, and what they refuse.
import type { DiagnosticCode } from '../diagnostics/catalogue.ts'
import { bool, type CelType, comparable, describe, dyn, elementOf, isNumber, join, mayBe, members } from './cel-type.ts'
import { operatorOverloads } from './functions.ts'
import type { CelNode } from './node.ts'
import type { Overload } from './overload.ts'

export type Report = (code: DiagnosticCode, node: CelNode, message: string, help?: string) => void

export function operatorType(node: CelNode, left: CelType, right: CelType, report: Report): CelType {
  const op: string = node.op
  if (op === '==' || op === '!=') {
    if (!comparable(left, right))
      report('cel-type', node, `\`${op}\` compares ${describe(left)} with ${describe(right)}`, compareHelp(node, left, right))
    return bool
  }
  if (op === 'in') {
    const elements = elementOf(right)
    if (elements === undefined) report('cel-type', node, `\`in\` needs a list or map on its right, found ${describe(right)}`)
    else if (!comparable(left, elements))
      report('cel-type', node, `\`in\` looks for ${describe(left)} among ${describe(elements)}`, compareHelp(node, left, elements))
    return bool
  }
  if (op === '<' || op === '<=' || op === '>' || op === '>=') {
    if (!ordered(left, right))
      report('cel-type', node, `\`${op}\` compares ${describe(left)} with ${describe(right)}`, compareHelp(node, left, right))
    return bool
  }
  const overloads = operatorOverloads(op, 2)
  if (overloads.length === 0) {
    report('cel-forbidden', node, `\`${op}\` is no operator of the language`)
    return dyn
  }
  return chosen(node, op, [left, right], overloads, report)
}

/** The result of whichever overloads the types allow. */
export function chosen(node: CelNode, name: string, types: readonly CelType[], overloads: readonly Overload[], report: Report): CelType {
  const possible = overloads.filter(one => one.takes.every((kind, at) => mayBe(types[at]!, kind)))
  if (possible.length > 0) return join(possible.map(one => one.gives))
  const found = types.map(describe).join(' and ')
  const mixed = types.length === 2 && types.every(type => members(type).every(one => isNumber(one.kind)))
  report('cel-type', node, `\`${name}\` does not take ${found}`, mixed ? 'turn one into the other, as in `double(x)`' : undefined)
  return dyn
}

const orderedKinds = ['string', 'bool', 'timestamp', 'duration'] as const
const numeric = (type: CelType): boolean => members(type).some(one => one.kind === 'dyn' || isNumber(one.kind))
const ordered = (left: CelType, right: CelType): boolean =>
  (numeric(left) && numeric(right)) || orderedKinds.some(kind => mayBe(left, kind) && mayBe(right, kind))

function compareHelp(node: CelNode, left: CelType, right: CelType): string | undefined {
  const kinds = new Set([left.kind, right.kind])
  if (kinds.has('string') && [...kinds].some(isNumber)) return quotesHelp(node)
  if (kinds.has('string') && kinds.has('bool')) return '`true` and `false` stand without quotes'
  if (kinds.has('string') && kinds.has('timestamp')) return 'write `timestamp("...")` around the text'
  return kinds.has('list') && kinds.size === 2 ? '`in` asks whether a list has a value' : undefined
}

/** Which side was meant otherwise: the one that stands here as a value. */
function quotesHelp({ args }: CelNode): string {
  const literals = (args as readonly CelNode[]).flatMap(one => (one.op === 'list' ? one.args : [one])).filter(one => one.op === 'value')
  if (literals.some(one => typeof one.args === 'string')) return 'a number stands without quotes'
  const [number] = literals
  return number === undefined ? 'turn one into the other, as in `string(x)`' : `a text stands in quotes: \`"${String(number.args)}"\``
}
