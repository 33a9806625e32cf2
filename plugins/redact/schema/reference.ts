// A JSON Schema as a server gives it: plain data, of which nothing is fetched.

export type SchemaObject = Readonly<Record<string, unknown>>
export type Schema = boolean | SchemaObject

export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a reference within the same schema leads to; undefined for any other. */
export function resolve(root: Schema, ref: string): Schema | undefined {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  let at: unknown = root
  for (const step of ref.split('/').slice(1)) {
    const key = keyOf(step)
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as SchemaObject)[key]
  }
  return typeof at === 'boolean' || isSchemaObject(at) ? at : undefined
}

function keyOf(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return step
  }
}
