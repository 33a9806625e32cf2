// Walks a message or a document and masks its strings, keys and numbers; what has no finding stays the same object.
import { ExactNumber, type JsonObject, type JsonValue } from 'mcpgw/plugin'
import { descend, type FieldPath, isTarget, mapArray, mapMembers, maskedLeaf, maskFields } from './field-path.ts'
import { applyEdits, type Edit, editLeaves, type JsonText, type Node, readDocument } from './json-text.ts'
import { count, maskText, type Tally } from './masker.ts'
import type { Scanner } from './scanner.ts'
import { maskSeams } from './seam.ts'
import { isBase64, isKeptMeta, isObject, isProse, type Treatment, treatmentOf } from './shape.ts'

export interface Redactor {
  /** Params, a result, an error object or a notification's params. */
  message(value: JsonValue): JsonValue
  /** Any data without protocol members, e.g. the arguments of a call. */
  document(value: JsonValue): JsonValue
  text(text: string): string
}

const longestNumber = 40

/** `scanner` absent: only the fields. Findings are added to `tally`. */
export function createRedactor(scanner: Scanner | undefined, fields: readonly FieldPath[], tally: Tally): Redactor {
  function maskMember(value: JsonValue, key: string, treatment: Treatment): JsonValue {
    switch (treatment) {
      case 'keep':
        return value
      case 'document':
        return maskDocument(value, key)
      case 'schema':
        return maskSchema(value, key)
      case 'encoded':
        return typeof value === 'string' && isBase64(value) ? value : maskDocument(value, key)
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
    if (typeof value === 'string') return maskString(value, key)
    if (Array.isArray(value)) {
      const masked = mapArray(value, item => maskProtocol(item, key))
      return scanner === undefined ? masked : maskSeams(scanner, value, masked, tally)
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
    return typeof value === 'string' ? maskString(value, key) : maskFree(maskFields(value, fields, tally), key)
  }

  function maskFree(value: JsonValue, key: string): JsonValue {
    if (scanner === undefined) return value
    if (typeof value === 'string') return maskString(value, key, [])
    if (typeof value === 'number' || value instanceof ExactNumber) return isFinding(value, key) ? 0 : value
    if (Array.isArray(value)) return mapArray(value, item => maskFree(item, key))
    return isObject(value) ? maskKeys(mapMembers(value, maskFree)) : value
  }

  function maskKeys(object: JsonObject): JsonObject {
    if (scanner === undefined) return object
    const renamed = Object.keys(object).map(key => [key, maskText(scanner, key, '', tally)] as const)
    if (renamed.every(([key, masked]) => key === masked)) return object
    const copy = Object.create(null) as Record<string, JsonValue>
    const used: Used = new Map()
    for (const [key, masked] of renamed) copy[key === masked ? key : unused(masked, used, copy, object)] = object[key]!
    return copy
  }

  /** A number is masked as 0, so that it stays one. */
  function isFinding(value: number | ExactNumber, key: string): boolean {
    const text = spell(value)
    return text.length >= 9 && maskText(scanner!, text, key, tally) !== text
  }

  /** A text; one that is a whole JSON document is masked leaf by leaf, so that it stays one and matches its structured twin. */
  function maskString(text: string, key: string, paths: readonly FieldPath[] = fields): string {
    const seen: Tally = new Map()
    const plain = scanner === undefined ? text : maskText(scanner, text, key, seen)
    if (plain === text && paths.length === 0 && !text.includes('\\u')) return text
    const document = readDocument(text)
    if (document === undefined) {
      for (const [id, by] of seen) count(tally, id, by)
      return plain
    }
    const named = applyEdits(document, fieldEdits(document.root, paths))
    if (scanner === undefined) return named
    const rest = named === text ? document : readDocument(named)!
    return applyEdits(rest, findingEdits(rest))
  }

  function findingEdits({ text, root }: JsonText): readonly Edit[] {
    return editLeaves(root, (node, key, isKey) => {
      if (node.type === 'string') {
        const value = node.value as string
        const masked = isKey ? maskText(scanner!, value, '', tally) : maskString(value, key, [])
        return masked === value ? undefined : JSON.stringify(masked)
      }
      if (node.type !== 'number') return undefined
      return isFinding(new ExactNumber(text.slice(node.offset, node.offset + node.length)), key) ? '0' : undefined
    })
  }

  function fieldEdits(node: Node, paths: readonly FieldPath[]): readonly Edit[] {
    if (paths.length === 0) return []
    if (isTarget(paths)) {
      return editLeaves(node, (leaf, _key, isKey) => {
        const masked = maskedLeaf(leaf.value as JsonValue)
        if (isKey || masked === leaf.value) return undefined
        count(tally, 'field')
        return JSON.stringify(masked)
      })
    }
    const below = node.children ?? []
    if (node.type === 'array') return below.flatMap((item, i) => fieldEdits(item, descend(paths, i)))
    return below.flatMap(({ children }) =>
      children === undefined ? [] : fieldEdits(children[1]!, descend(paths, String(children[0]!.value))),
    )
  }

  return {
    message: value => maskProtocol(value, ''),
    document: value => maskDocument(value, ''),
    text: text => maskString(text, ''),
  }
}

/** A number without its exponent: 4.111111111111111e15 is 4111111111111111. */
function spell(value: number | ExactNumber): string {
  const text = typeof value === 'number' ? String(value) : value.text
  const parts = /^-?(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,3})$/.exec(text)
  if (parts === null) return text
  const digits = parts[1]! + (parts[2] ?? '')
  const point = parts[1]!.length + Number(parts[3])
  return point > 0 && point <= longestNumber ? digits.slice(0, point).padEnd(point, '0') : text
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
