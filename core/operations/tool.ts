// An operation as an MCP tool: its definition, and what it answers as the result of a call.
import { asJson, Json } from '../mcp/json.ts'
import type { JsonObject, Operation } from '../plugin/index.ts'
import type { Performed } from './operations.ts'

const DRAFT = { target: 'draft-2020-12' } as const

/** Made once: lists show it, and what comes by a route is read by its schema. */
const described = new WeakMap<Operation, Described>()

export interface Described extends JsonObject {
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject
}

export function describe(operation: Operation): Described {
  const known = described.get(operation)
  if (known !== undefined) return known
  const { name, summary, effect, input, output } = operation
  const made = {
    name,
    description: summary,
    inputSchema: input['~standard'].jsonSchema.input(DRAFT) as JsonObject,
    outputSchema: output['~standard'].jsonSchema.output(DRAFT) as JsonObject,
    annotations: { readOnlyHint: effect === 'reads', destructiveHint: effect !== 'reads', openWorldHint: effect === 'calls' },
  }
  described.set(operation, made)
  return made
}

/** Spec: server/tools, "Structured Content": the same also as text, for clients that do not know it. */
export function resultOf(answer: Performed): Json {
  if (answer.kind === 'done')
    return Json.of({ content: [{ type: 'text', text: answer.value.text }] }).with({ structuredContent: answer.value })
  if (answer.kind === 'passed') return asJson(answer.result)
  const { code, message, field } = answer
  const text = field === undefined ? message : `${field}: ${message}`
  const error: JsonObject = { code, message, ...(field !== undefined && { field }) }
  return Json.of({ content: [{ type: 'text', text }], structuredContent: { error }, isError: true })
}
