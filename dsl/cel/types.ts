// A compiled condition against what is known of its variables, e.g. `args` by the schema of one tool.
import { catalogue } from '../diagnostics/catalogue.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { JsonSchema } from '../lock/lock.ts'
import { type CelType, mayBe } from './cel-type.ts'
import type { Condition } from './condition.ts'
import { Inference } from './infer.ts'
import type { CelNode } from './node.ts'
import { finding } from './parse.ts'
import { isOpen, typeOfSchema } from './schema-type.ts'
import { languageVariables } from './variables.ts'
import { walk } from './walk.ts'

export interface TypeReport {
  /** Each once, though a let may bring its text several times. */
  readonly diagnostics: readonly Diagnostic[]
  /** Of any node of the condition. */
  typeOf(node: CelNode): CelType | undefined
}

/** `schemas`: of variables by name; the others are what they always are. */
export function checkTypes(condition: Condition, schemas: ReadonlyMap<string, JsonSchema>): TypeReport {
  const variables = new Map(languageVariables)
  for (const [name, schema] of schemas) variables.set(name, typeOfSchema(schema))
  const found = new Map<string, Diagnostic>()
  const add = (one: Diagnostic): void => {
    const key = `${one.code} ${one.span.file} ${one.span.start} ${one.span.end} ${one.message}`
    if (!found.has(key)) found.set(key, one)
  }
  const inference = new Inference(variables, new Set(languageVariables.keys()), (code, node, message, help) =>
    add(finding(code, condition.spanOf(node), message, help)),
  )
  inference.of(condition.ast, new Map())
  for (const node of walk(condition.ast)) {
    const untyped = untypedOperand(node, inference.types)
    if (untyped === undefined) continue
    add({
      code: 'untyped-arithmetic',
      severity: catalogue['untyped-arithmetic'].severity,
      message: `\`${node.op}\` on a number whose kind nobody says: an integer and a fraction do not mix`,
      span: condition.spanOf(untyped),
      help: 'write `int(...)` or `double(...)` around it',
    })
  }
  return { diagnostics: [...found.values()], typeOf: node => inference.types.get(node) }
}

const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%'])
const others = ['string', 'list', 'timestamp', 'duration'] as const

/** An operand that may be int or double, where nothing else says that it is no number. */
function untypedOperand(node: CelNode, types: ReadonlyMap<CelNode, CelType>): CelNode | undefined {
  if (!arithmetic.has(node.op)) return undefined
  const operands = node.args as readonly CelNode[]
  const typed = operands.map(one => types.get(one)).filter(one => one !== undefined && !isOpen(one))
  if (typed.some(one => others.some(kind => mayBe(one!, kind)))) return undefined
  return operands.find(one => {
    const type = types.get(one)
    return type !== undefined && isOpen(type)
  })
}
