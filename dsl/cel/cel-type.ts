// The types that the checker reasons with. Only what no value could satisfy is an error.
import type { Kind } from './cel-value.ts'

export type CelType =
  | { readonly kind: Exclude<Kind, 'list' | 'map'> }
  | { readonly kind: 'list'; readonly of: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | ObjectType
  | { readonly kind: 'union'; readonly of: readonly CelType[] }

/** A map whose keys are known. `rest` is what other keys hold; absent: there are none. */
export interface ObjectType {
  readonly kind: 'object'
  readonly fields: ReadonlyMap<string, Field>
  readonly rest?: CelType
}
export interface Field {
  readonly type: CelType
  readonly optional: boolean
}

export const dyn: CelType = { kind: 'dyn' }
export const bool: CelType = { kind: 'bool' }
export const int: CelType = { kind: 'int' }
export const string: CelType = { kind: 'string' }
export const list = (of: CelType): CelType => ({ kind: 'list', of })
export const map = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value })

const numbers: ReadonlySet<string> = new Set(['int', 'uint', 'double'])
export const isNumber = (kind: string): boolean => numbers.has(kind)

export function members(type: CelType): readonly CelType[] {
  return type.kind === 'union' ? type.of.flatMap(members) : [type]
}

export function join(types: readonly CelType[]): CelType {
  if (types.length === 1) return types[0]!
  const all = types.flatMap(members)
  if (all.length === 0 || all.some(one => one.kind === 'dyn')) return dyn
  const distinct = all.filter((one, at) => all.findIndex(other => describe(other) === describe(one)) === at)
  return distinct.length === 1 ? distinct[0]! : { kind: 'union', of: distinct }
}

/** Whether a value of this type may be of that kind. */
export function mayBe(type: CelType, kind: Kind): boolean {
  return members(type).some(one => one.kind === 'dyn' || kind === 'dyn' || one.kind === kind || (one.kind === 'object' && kind === 'map'))
}

/** Whether a value of one may equal a value of the other; null may be asked of anything. */
export function comparable(left: CelType, right: CelType): boolean {
  return members(left).some(a => members(right).some(b => pairComparable(a, b)))
}

function pairComparable(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || b.kind === 'dyn' || a.kind === 'null' || b.kind === 'null') return true
  if (isNumber(a.kind) && isNumber(b.kind)) return true
  if (a.kind === 'list' && b.kind === 'list') return comparable(a.of, b.of)
  if ((a.kind === 'map' || a.kind === 'object') && (b.kind === 'map' || b.kind === 'object')) return true
  return a.kind === b.kind
}

/** For messages. */
export function describe(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return type.of.kind === 'dyn' ? 'list' : `list of ${describe(type.of)}`
    case 'map':
      return 'map'
    case 'union':
      return type.of.map(describe).join(' or ')
    case 'dyn':
      return 'anything'
    default:
      return type.kind
  }
}

/** What the elements of a comprehension over it are; undefined where it cannot be walked. */
export function elementOf(type: CelType): CelType | undefined {
  const elements = members(type).flatMap(one => {
    if (one.kind === 'dyn') return [dyn]
    if (one.kind === 'list') return [one.of]
    if (one.kind === 'map') return [one.key]
    return one.kind === 'object' ? [string] : []
  })
  return elements.length === 0 ? undefined : join(elements)
}
