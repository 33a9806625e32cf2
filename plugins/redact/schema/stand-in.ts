// What may stand where a masked value does not fit: first what looks most like the mask, never anything of the value.
import { standIns } from './formats.ts'
import { isSchemaObject, type Schema } from './reference.ts'
import type { Scalar } from './scalar.ts'

const longest = 1000

export function candidates(was: Scalar, masked: Scalar, schemas: readonly Schema[]): readonly Scalar[] {
  if (typeof masked === 'number') return [masked, ...bounds(schemas), 1]
  if (typeof masked !== 'string') return [masked]
  const shape = typeof was === 'string' && was.length <= longest ? [shapeOf(was)] : []
  const texts = [masked, masked.replaceAll('*', '0'), masked.replaceAll('*', 'X'), ...standIns, ...shape, '']
  return [...texts, ...texts.flatMap(text => sized(text, schemas))]
}

/** 123-45-ab -> 000-00-xx. */
function shapeOf(text: string): string {
  return text
    .replace(/\p{N}/gu, '0')
    .replace(/\p{Lu}/gu, 'X')
    .replace(/\p{L}/gu, letter => (letter === 'X' ? 'X' : 'x'))
}

function sized(text: string, schemas: readonly Schema[]): readonly string[] {
  return schemas.flatMap(schema => {
    if (!isSchemaObject(schema)) return []
    const { minLength, maxLength } = schema
    const cut = typeof maxLength === 'number' && text.length > maxLength ? [Array.from(text).slice(0, maxLength).join('')] : []
    const padded = typeof minLength === 'number' && minLength <= longest && text.length < minLength ? [text.padEnd(minLength, '*')] : []
    return [...cut, ...padded]
  })
}

function bounds(schemas: readonly Schema[]): readonly number[] {
  return schemas.flatMap(schema => {
    if (!isSchemaObject(schema)) return []
    const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema
    const step = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : 1
    const above = [minimum, exclusiveMinimum].filter(one => typeof one === 'number')
    const below = [maximum, exclusiveMaximum].filter(one => typeof one === 'number')
    return [
      ...above.flatMap(one => [one, one + step, (Math.floor(one / step) + 1) * step]),
      ...below.flatMap(one => [one, one - step, (Math.ceil(one / step) - 1) * step]),
    ]
  })
}
