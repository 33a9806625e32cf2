// The official conformance data, as far as it is about values that conditions can have, run by our checker and evaluator.
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { dyn } from '../../../dsl/cel/cel-type.ts'
import { Absent, type Cel, TypeName, Uint } from '../../../dsl/cel/cel-value.ts'
import { equal } from '../../../dsl/cel/equality.ts'
import { Inference } from '../../../dsl/cel/infer.ts'
import { inlineLets } from '../../../dsl/cel/lets.ts'
import { compileNode } from '../../../dsl/cel/program.ts'
import { Run } from '../../../dsl/cel/run.ts'
import { slice } from './conditions.ts'

type Suite = ReturnType<typeof getConformanceSuite>
type Test = Suite['tests'][number]
type Original = Test['original']
type Wanted = Extract<Original['resultMatcher'], { case: 'value' }>['value']

export interface Case {
  readonly name: string
  readonly original: Original
}

/** Files of the data that are about the language itself, not about messages or extensions that we do not have. */
const files: ReadonlySet<string> = new Set(
  'basic comparisons conversions fields fp_math integer_math lists logic macros namespace parse plumbing string string_ext timestamps'.split(
    ' ',
  ),
)
const outside: ReadonlySet<string> = new Set([
  'replace',
  'quote',
  'format',
  'format_errors',
  'bytes_literals',
  'bytes_concat',
  'bytes',
  'eq_wrapper',
  'quoted_map_fields',
  'qualified_identifier_resolution',
  'struct_field_names',
])
const otherValues = /TestAllTypes|NullValue|google\.protobuf\.(?!Timestamp|Duration)|\bbytes\b|(?<![\w"'])[rR]?[bB][rR]?["']|\.\?|`/

export function cases(): readonly Case[] {
  const found: Case[] = []
  const walk = (suite: Suite, path: readonly string[]): void => {
    const file = path[1] ?? suite.name
    for (const one of suite.tests) {
      const kinds = [
        ...Object.values(one.original.bindings).map(binding => binding.kind.case === 'value' && binding.kind.value),
        wanted(one.original),
      ]
      const plain = kinds.every(value => value === undefined || (value !== false && plainValue(value)))
      if (
        files.has(file) &&
        !path.some(part => outside.has(part)) &&
        !outside.has(suite.name) &&
        plain &&
        !otherValues.test(one.original.expr)
      ) {
        found.push({ name: [...path.slice(1), suite.name, one.original.name].join('/'), original: one.original })
      }
    }
    for (const below of suite.suites) walk(below, [...path, suite.name])
  }
  walk(getConformanceSuite(), [])
  return found
}

const wanted = (one: Original): Wanted | undefined => (one.resultMatcher.case === 'value' ? one.resultMatcher.value : undefined)

function plainValue(value: Wanted): boolean {
  const { kind } = value
  if (kind.case === 'listValue') return kind.value.values.every(plainValue)
  if (kind.case === 'mapValue')
    return kind.value.entries.every(one => one.key !== undefined && plainValue(one.key) && one.value !== undefined && plainValue(one.value))
  return kind.case !== 'bytesValue' && kind.case !== 'objectValue' && kind.case !== 'enumValue'
}

function celOf(value: Wanted): Cel {
  const { kind } = value
  switch (kind.case) {
    case 'uint64Value':
      return new Uint(kind.value)
    case 'typeValue':
      return new TypeName(kind.value)
    case 'nullValue':
      return null
    case 'listValue':
      return kind.value.values.map(celOf)
    case 'mapValue':
      return new Map(kind.value.entries.map(one => [celOf(one.key!) as string, celOf(one.value!)]))
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'boolValue':
      return kind.value
    default:
      throw new Error(`a value of another kind: ${kind.case}`)
  }
}

/** `ok`, or what came instead. */
export function outcome({ original }: Case): string {
  const result = evaluate(original)
  if (original.resultMatcher.case === 'evalError')
    return typeof result === 'string' || result.value instanceof Absent ? 'ok' : 'a value instead of an error'
  if (typeof result === 'string') return result
  const { value } = result
  if (value instanceof Absent) return 'an error instead of a value'
  const expected = original.resultMatcher.case === 'value' ? celOf(original.resultMatcher.value) : true
  const same = Number.isNaN(expected) ? Number.isNaN(value) : equal(new Run(new Map(), undefined, 0), value, expected)
  return same && typeof value === typeof expected ? 'ok' : 'another value'
}

function evaluate(original: Original): { readonly value: Cel | Absent } | string {
  const inlined = inlineLets(slice(original.expr), new Map())
  if ('code' in inlined) return `refused: ${inlined.message}`
  const variables = new Map(original.typeEnv.filter(one => one.declKind.case === 'ident').map(one => [one.name, dyn]))
  for (const name of Object.keys(original.bindings)) variables.set(name, dyn)
  const refused: string[] = []
  const inference = new Inference(variables, new Set(), (_code, _node, message) => refused.push(message))
  inference.of(inlined.ast, new Map())
  if (refused.length > 0) return `refused: ${refused[0]}`
  const slots = { count: 0 }
  const step = compileNode(inlined.ast, { patterns: inference.patterns, locals: new Map(), slots })
  const bindings = new Map(
    Object.entries(original.bindings).map(([name, one]) => [name, one.kind.case === 'value' ? celOf(one.kind.value) : null]),
  )
  return { value: step(new Run(bindings as never, undefined, slots.count)) }
}
