// What a field of a value is, by the type of the value; a field that it cannot have is named.
import type { DiagnosticCode } from '../diagnostics/catalogue.ts'
import { type CelType, describe, dyn, join, members } from './cel-type.ts'
import { nearest } from './nearest.ts'
import type { CelNode } from './node.ts'
import { pathOf } from './walk.ts'

/** `asked`: by `has()`. */
export function fieldType(
  node: CelNode,
  name: string,
  operand: CelType,
  asked: boolean,
  report: (code: DiagnosticCode, node: CelNode, message: string, help?: string) => void,
): CelType {
  const direct = ofMember(operand, name)
  if (direct !== undefined) return direct
  const types = operand.kind === 'union' ? operand.of.flatMap(one => ofMember(one, name) ?? []) : []
  if (types.length > 0) return join(types)
  const known = members(operand).flatMap(one => (one.kind === 'object' ? [...one.fields.keys()] : []))
  const operandNode = node.op === '.' || node.op === '[]' ? node.args[0] : node
  const path = pathOf(operandNode)
  if (!members(operand).some(one => one.kind === 'object')) {
    report('cel-type', node, `\`${name}\` is asked of ${describe(operand)}, which has no fields`)
    return dyn
  }
  const whole = path === undefined ? 'it' : `\`${path.join('.')}\``
  const meant = nearest(name, known)
  report(
    path?.[0] === 'args' ? 'unknown-argument' : 'cel-unknown-name',
    node,
    `${whole} has no \`${name}\`${asked ? ', so that `has()` is never true' : ''}`,
    meant === undefined
      ? known.length === 0
        ? undefined
        : `there are ${known
            .slice(0, 12)
            .map(one => `\`${one}\``)
            .join(', ')}`
      : `did you mean \`${meant}\``,
  )
  return dyn
}

function ofMember(type: CelType, name: string): CelType | undefined {
  if (type.kind === 'dyn') return dyn
  if (type.kind === 'map') return type.value
  return type.kind === 'object' ? (type.fields.get(name)?.type ?? type.rest) : undefined
}
