// A masked tool result and the output schema of its tool: it still fits, in its structured form and in the text that tells the same.
import { findNodeAtLocation } from 'jsonc-parser'
import { type Answer, ExactNumber, type Exchange, type JsonObject, type JsonValue, type Payload } from 'mcpgw/plugin'
import { mapArray } from './field-path.ts'
import { applyEdits, readDocument } from './json-text.ts'
import { type Change, fitTo, type Misfit } from './schema/fit.ts'
import { isSchemaObject, type Schema } from './schema/reference.ts'
import { isObject } from './shape.ts'

/** The output schema that a client holds this answer against; undefined where there is none. */
export function schemaOf({ resource }: Exchange, answer: Answer): Schema | undefined {
  if (resource.kind !== 'call' || answer.kind !== 'result') return undefined
  const { definition } = resource
  if (definition === undefined) return undefined
  if (!known.has(definition)) {
    const { value } = definition
    const schema = isObject(value) ? toPlain(value.outputSchema) : undefined
    known.set(definition, isSchemaObject(schema) ? schema : undefined)
  }
  return known.get(definition)
}

// A definition is one object for all calls of its tool.
const known = new WeakMap<Payload, Schema | undefined>()

function toPlain(value: JsonValue | undefined): unknown {
  if (value instanceof ExactNumber) return Number(value.text)
  if (Array.isArray(value)) return value.map(toPlain)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlain(member)])) : value
}

/** `masked`, of which each member that would break the schema has become one that fits. */
export function fitResult(schema: Schema, before: JsonValue, masked: JsonValue): { readonly value: JsonValue } | Misfit {
  const asItIs = { value: masked }
  if (!isObject(before) || !isObject(masked)) return asItIs
  const { structuredContent: was } = before
  const { structuredContent: is, content } = masked
  if (was === undefined || is === undefined || was === is) return asItIs
  const fitted = fitTo(schema, was, is)
  if ('misfit' in fitted) return fitted
  if (fitted.changes.length === 0) return asItIs
  const blocks = Array.isArray(content) ? { content: mapArray(content, block => retell(block, fitted.changes)) } : {}
  return { value: Object.assign(Object.create(null) as JsonObject, masked, blocks, { structuredContent: fitted.value }) }
}

function retell(block: JsonValue, changes: readonly Change[]): JsonValue {
  if (!isObject(block) || block.type !== 'text' || typeof block.text !== 'string') return block
  const document = readDocument(block.text)
  if (document === undefined) return block
  const edits = changes.flatMap(({ path, masked, value }) => {
    const node = findNodeAtLocation(document.root, [...path])
    return node?.value === masked ? [{ node, replacement: JSON.stringify(value) }] : []
  })
  return edits.length === 0 ? block : Object.assign(Object.create(null) as JsonObject, block, { text: applyEdits(document, edits) })
}
