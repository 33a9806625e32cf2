// Arguments against the input schema of their tool, before any rule reads them: rules may then rely on what the schema says.
import { hash } from 'node:crypto'
import type { ErrorObject } from 'ajv'
import { canonicalText, type JsonObject, type Payload } from 'mcpgw/plugin'
import { type Compiled, compileSchema } from './compile.ts'
import { isUnfit, toPlain } from './numbers.ts'

/** `arguments`: they do not fit. `schema`: nothing can be checked by it, so nothing fits. `message` names places and what was expected, never a value. */
export interface Misfit {
  readonly about: 'arguments' | 'schema'
  readonly message: string
}

const maxKept = 256
const maxSchemaBytes = 1024 * 1024

const byDefinition = new WeakMap<Payload, Compiled | string>()
/** Sessions have definitions of their own, of mostly the same text. Least recently compiled first. */
const byDigest = new Map<string, Compiled | string>()

/** `definition`: of the tool, whole, as its server gave it. Undefined where the arguments fit. */
export function validateArguments(definition: Payload, args: Payload): Misfit | undefined {
  let compiled = byDefinition.get(definition)
  if (compiled === undefined) {
    compiled = recall(definition)
    byDefinition.set(definition, compiled)
  }
  if (typeof compiled === 'string') return { about: 'schema', message: `the input schema of the tool cannot be used: ${compiled}` }
  const plain = toPlain(args.value)
  if (isUnfit(plain)) return misfit(plain.path, plain.message)
  const { low, high } = plain
  if (low !== high && compiled.multiples) return misfit('', 'must have no number of more digits than a double has')
  const wrong = compiled.run(low) ?? (low === high ? undefined : compiled.run(high))
  if (wrong === undefined) return undefined
  if (wrong === 'over-budget') return misfit('', 'cost too many steps to check')
  return misfit(wrong.instancePath, expected(wrong))
}

function recall(definition: Payload): Compiled | string {
  // Spec: server/tools: there is one. Whoever leaves it out has said nothing of his arguments.
  const schema = (definition.value as JsonObject).inputSchema ?? true
  const text = canonicalText(schema)
  if (text.length > maxSchemaBytes) return `it has more than ${maxSchemaBytes} bytes`
  const digest = hash('sha256', text, 'hex')
  const kept = byDigest.get(digest)
  const compiled = kept ?? compileSchema(schema)
  byDigest.delete(digest)
  byDigest.set(digest, compiled)
  if (byDigest.size > maxKept) byDigest.delete(byDigest.keys().next().value!)
  return compiled
}

function misfit(path: string, message: string): Misfit {
  const at = path === '' ? 'the arguments' : `\`${path.length > 200 ? `${path.slice(0, 199)}…` : path}\``
  return { about: 'arguments', message: `${at} ${message}` }
}

/** Of the schema only: its words may be told, those of the caller not. */
function expected({ keyword, params, message = 'does not fit' }: ErrorObject): string {
  const { allowed, additionalProperty, unevaluatedProperty } = params as Readonly<Record<string, unknown>>
  if (keyword === 'enum') return `must be one of ${short(JSON.stringify(allowed).slice(1, -1))}`
  if (keyword === 'const') return `must be ${short(JSON.stringify(allowed))}`
  const extra = additionalProperty ?? unevaluatedProperty
  if (typeof extra === 'string') return `must not have \`${short(extra)}\``
  return short(message)
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}
