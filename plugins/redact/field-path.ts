// Field paths such as `$.patient.name`, `$.cards[*].number`, `$.*.ssn`: parsed once, applied to a document.
import { ExactNumber, type JsonObject, type JsonValue } from 'mcpgw/plugin'
import { labelOf } from './finding.ts'
import { count, type Tally } from './masker.ts'

export type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'each' }
export type FieldPath = readonly Step[]

const step = /\.(?:(\*)|([\p{L}_$][\p{L}\p{N}_$-]*))|\[(?:(\*)|(\d{1,9})|("(?:[^"\\]|\\.)*"|'[^'\\]*'))\]/uy
const masked = labelOf('redacted')
const tallied = 'field'

/** `undefined` where the text is no path of at least one step. */
export function parsePath(text: string): FieldPath | undefined {
  if (!text.startsWith('$') || text.length === 1) return undefined
  const steps: Step[] = []
  step.lastIndex = 1
  while (step.lastIndex < text.length) {
    const match = step.exec(text)
    if (match === null) return undefined
    const [, star, name, each, index, quoted] = match
    if (star !== undefined || each !== undefined) steps.push({ kind: 'each' })
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) })
    else if (name !== undefined) steps.push({ kind: 'key', key: name })
    else {
      const key = unquote(quoted!)
      if (key === undefined) return undefined
      steps.push({ kind: 'key', key })
    }
  }
  return steps
}

function unquote(quoted: string): string | undefined {
  if (quoted.startsWith("'")) return quoted.slice(1, -1)
  try {
    return JSON.parse(quoted) as string
  } catch {
    return undefined
  }
}

/** The paths that go on below member `key` (or element `index` of an array) of a document. */
export function descend(paths: readonly FieldPath[], at: string | number): readonly FieldPath[] {
  if (paths.length === 0) return paths
  return paths.filter(([first]) => first !== undefined && matches(first, at)).map(path => path.slice(1))
}

function matches(first: Step, at: string | number): boolean {
  if (first.kind === 'each') return true
  return first.kind === 'key' ? first.key === at : first.index === at
}

/** True where one of the paths ends here. */
export function isTarget(paths: readonly FieldPath[]): boolean {
  return paths.some(path => path.length === 0)
}

/** Masks what the paths name; the same object where they name nothing that is there. */
export function maskFields(value: JsonValue, paths: readonly FieldPath[], tally: Tally): JsonValue {
  if (paths.length === 0) return value
  if (isTarget(paths)) return maskWhole(value, tally)
  if (value === null || typeof value !== 'object' || value instanceof ExactNumber) return value
  if (Array.isArray(value)) return mapArray(value, (item, i) => maskFields(item, descend(paths, i), tally))
  return mapMembers(value as JsonObject, (member, key) => maskFields(member, descend(paths, key), tally))
}

/** Every leaf masked in its own type, so that the value still fits its schema. */
function maskWhole(value: JsonValue, tally: Tally): JsonValue {
  if (Array.isArray(value)) return mapArray(value, item => maskWhole(item, tally))
  if (value !== null && typeof value === 'object' && !(value instanceof ExactNumber)) {
    return mapMembers(value as JsonObject, member => maskWhole(member, tally))
  }
  const leaf = maskedLeaf(value)
  if (leaf !== value) count(tally, tallied)
  return leaf
}

export function maskedLeaf(value: JsonValue): JsonValue {
  if (typeof value === 'string') return masked
  if (typeof value === 'boolean') return false
  return value === null ? null : 0
}

export function mapArray(items: readonly JsonValue[], map: (item: JsonValue, index: number) => JsonValue): readonly JsonValue[] {
  let changed = false
  const mapped = items.map((item, i) => {
    const value = map(item, i)
    changed ||= value !== item
    return value
  })
  return changed ? mapped : items
}

export function mapMembers(object: JsonObject, map: (member: JsonValue, key: string) => JsonValue): JsonObject {
  let copy: Record<string, JsonValue> | undefined
  for (const key of Object.keys(object)) {
    const member = object[key]!
    const value = map(member, key)
    if (value === member) continue
    copy ??= Object.assign(Object.create(null) as Record<string, JsonValue>, object)
    copy[key] = value
  }
  return copy ?? object
}

/** Whether a document in this JSON text may have what a path names; false only where none can. */
export function mayName(paths: readonly FieldPath[], json: string): boolean {
  return paths.some(path => {
    const last = path.findLast(({ kind }) => kind === 'key')
    if (last?.kind !== 'key' || !/^[\w $-]+$/.test(last.key)) return true
    return json.includes(last.key) || json.includes('\\u')
  })
}
