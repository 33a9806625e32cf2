// Walks a message or a document and masks its strings, keys and numbers; what has no finding stays the same object.
import { ExactNumber, type JsonObject, type JsonValue } from 'mcpgw/plugin'
import { type FieldPath, mapArray, mapMembers, maskFields } from './field-path.ts'
import type { Tally } from './masker.ts'
import { isBase64, isKeptMeta, isObject, isProse, type Treatment, treatmentOf } from './shape.ts'
import { spell, type TextMasker } from './text-masker.ts'

export interface Redactor {
  /** Params, a result, an error object or a notification's params. */
  message(value: JsonValue): JsonValue
  /** Any data without protocol members, e.g. the arguments of a call. */
  document(value: JsonValue): JsonValue
}

/** Takes the parts of a value out of neighbouring blocks: `blocks` as they were, `masked` as they are so far. */
export type MaskSeams = (blocks: readonly JsonValue[], masked: readonly JsonValue[]) => readonly JsonValue[]

/** `texts` and `seams` absent where nothing is looked for, only fields. */
export interface RedactorOptions {
  readonly texts: TextMasker
  readonly seams?: MaskSeams
  readonly fields: readonly FieldPath[]
  readonly tally: Tally
}

export function createRedactor({ texts, seams, fields, tally }: RedactorOptions): Redactor {
  function maskMember(value: JsonValue, key: string, treatment: Treatment): JsonValue {
    switch (treatment) {
      case 'keep':
        return value
      case 'document':
        return maskDocument(value, key)
      case 'schema':
        return maskSchema(value, key)
      case 'encoded':
        return typeof value === 'string' && isBase64(value) ? texts.encoded(value, key) : maskDocument(value, key)
      case 'meta':
        return isObject(value)
          ? maskKeys(mapMembers(value, (member, name) => (isKeptMeta(name) ? member : maskFree(member, name))))
          : maskFree(value, key)
      case 'entries':
        // Keys tell which answer belongs to which request.
        return isObject(value) ? mapMembers(value, (member, name) => maskProtocol(member, name)) : maskProtocol(value, key)
      case 'protocol':
        return maskProtocol(value, key)
    }
  }

  function maskProtocol(value: JsonValue, key: string): JsonValue {
    if (typeof value === 'string') return texts.text(value, key, fields)
    if (Array.isArray(value)) {
      const masked = mapArray(value, item => maskProtocol(item, key))
      return seams === undefined ? masked : seams(value, masked)
    }
    return isObject(value) ? maskKeys(mapMembers(value, (member, name) => maskMember(member, name, treatmentOf(name, member)))) : value
  }

  function maskSchema(value: JsonValue, key: string): JsonValue {
    if (Array.isArray(value)) return mapArray(value, item => maskSchema(item, key))
    if (!isObject(value)) return value
    // A property may be called `description`: its value is a schema then, not prose.
    return mapMembers(value, (member, name) => (isProse(name) && key !== 'properties' ? maskFree(member, name) : maskSchema(member, name)))
  }

  function maskDocument(value: JsonValue, key: string): JsonValue {
    return typeof value === 'string' ? texts.text(value, key, fields) : maskFree(maskFields(value, fields, tally), key)
  }

  function maskFree(value: JsonValue, key: string): JsonValue {
    if (typeof value === 'string') return texts.text(value, key, [])
    // A number is masked as 0, so that it stays one.
    if (typeof value === 'number') return texts.hasFinding(spell(String(value)), key) ? 0 : value
    if (value instanceof ExactNumber) return texts.hasFinding(spell(value.text), key) ? 0 : value
    if (Array.isArray(value)) return mapArray(value, item => maskFree(item, key))
    return isObject(value) ? maskKeys(mapMembers(value, maskFree)) : value
  }

  function maskKeys(object: JsonObject): JsonObject {
    const renamed = Object.keys(object).map(key => [key, texts.name(key)] as const)
    if (renamed.every(([key, masked]) => key === masked)) return object
    const copy = Object.create(null) as Record<string, JsonValue>
    const used: Used = new Map()
    for (const [key, masked] of renamed) copy[key === masked ? key : unused(masked, used, copy, object)] = object[key]!
    return copy
  }

  return {
    message: value => maskProtocol(value, ''),
    document: value => maskDocument(value, ''),
  }
}

/** How often each masked key was given: without it a thousand addresses as keys would be tried a thousand times each. */
type Used = Map<string, number>

function unused(key: string, used: Used, taken: JsonObject, original: JsonObject): string {
  for (let i = (used.get(key) ?? 0) + 1; ; i++) {
    used.set(key, i)
    const candidate = i === 1 ? key : `${key} ${i}`
    if (!Object.hasOwn(taken, candidate) && !Object.hasOwn(original, candidate)) return candidate
  }
}
