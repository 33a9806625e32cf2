// The value of a literal; the package's own unsigned integers become ours, bytes are none.
import { UnsignedInt } from 'cel-js/evaluator'
import { type Cel, Uint } from './cel-value.ts'
import type { CelNode } from './node.ts'

export function literalOf(node: CelNode & { readonly op: 'value' }): Cel | undefined {
  const value = node.args
  if (value instanceof UnsignedInt) return new Uint(value.valueOf())
  return value instanceof Uint8Array ? undefined : value
}
