// When two values are equal, and which is less: numbers by what they mean, not by how they are kept.
import { type Cel, CelDuration, TypeName, Uint } from './cel-value.ts'
import type { Run } from './run.ts'

const number = (value: Cel): bigint | number | undefined => {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Uint ? value.value : undefined
}

/** False, too, once the budget is spent; who asks looks at `run.steps`. */
export function equal(run: Run, a: Cel, b: Cel): boolean {
  if (typeof a === 'string') {
    if (typeof b !== 'string' || a.length !== b.length) return false
    return (a.length < 256 || run.charge(a.length >> 8)) && a === b
  }
  const left = number(a)
  if (left !== undefined) {
    const right = number(b)
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are compared by value
    return right !== undefined && left == right
  }
  if (typeof a !== 'object' || a === null) return a === b
  if (typeof b !== 'object' || b === null || !run.charge(1)) return false
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(run, a as readonly Cel[], b as readonly Cel[])
  if (a instanceof Map) return b instanceof Map && equalMaps(run, a, b)
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime()
  if (a instanceof CelDuration) return b instanceof CelDuration && a.ns === b.ns
  return a instanceof TypeName && b instanceof TypeName && a.name === b.name
}

function equalLists(run: Run, a: readonly Cel[], b: readonly Cel[]): boolean {
  return a.length === b.length && run.charge(a.length) && a.every((value, at) => equal(run, value, b[at]!))
}

function equalMaps(run: Run, a: ReadonlyMap<Cel, Cel>, b: ReadonlyMap<Cel, Cel>): boolean {
  if (a.size !== b.size || !run.charge(a.size)) return false
  for (const [key, value] of a) {
    const other = b.get(key)
    if (other === undefined || !equal(run, value, other)) return false
  }
  return true
}

/** Negative, zero or positive; NaN where one is NaN; undefined where they have no order. */
export function compare(run: Run, a: Cel, b: Cel): number | undefined {
  const left = number(a)
  if (left !== undefined) {
    const right = number(b)
    if (right === undefined) return undefined
    if (left < right) return -1
    if (left > right) return 1
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are compared by value
    return left == right ? 0 : Number.NaN
  }
  if (typeof a === 'string' && typeof b === 'string') {
    return run.charge(Math.min(a.length, b.length) >> 4) ? compareText(a, b) : undefined
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  if (a instanceof CelDuration && b instanceof CelDuration) return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0
  return undefined
}

/** By code points: UTF-16 order would put the astral planes before U+E000. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const surrogates = Number((x & 0xf800) === 0xd800) - Number((y & 0xf800) === 0xd800)
    return surrogates === 0 ? x - y : surrogates
  }
  return a.length - b.length
}
