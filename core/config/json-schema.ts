// The config schemas as JSON Schema: for editors, and to know which keys may stand at a place.
import * as z from 'zod'
import type { Path } from './tree.ts'

type Json = Readonly<Record<string, unknown>>

export function toJsonSchema(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' })
}

/** Names of the keys that the schema knows in the map at `path`. */
export function keysAt(schema: z.ZodType, path: Path): string[] {
  let at: Json[] = [toJsonSchema(schema)]
  for (const step of path) at = at.flatMap(alternatives).flatMap(one => descend(one, step))
  return [...new Set(at.flatMap(alternatives).flatMap(one => Object.keys((one.properties ?? {}) as Json)))]
}

function alternatives(schema: Json): Json[] {
  const any = schema.anyOf ?? schema.oneOf
  return Array.isArray(any) ? any.flatMap(one => alternatives(one as Json)) : [schema]
}

function descend(schema: Json, step: string | number): Json[] {
  const next = typeof step === 'number' ? schema.items : ((schema.properties as Json | undefined)?.[step] ?? schema.additionalProperties)
  return typeof next === 'object' && next !== null ? [next as Json] : []
}
