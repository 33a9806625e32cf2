// Arguments as a validator needs them: plain values, whose numbers JavaScript can hold.
import { ExactNumber, type JsonObject, type JsonValue } from 'mcpgw/plugin'

/** Where a number has no double of its own: the value with the doubles below and above it. What fits both, fits it. */
export interface Plain {
  readonly low: unknown
  readonly high: unknown
}

/** Why a value cannot be checked; `path` is a JSON pointer. */
export interface Unfit {
  readonly path: string
  readonly message: string
}

export function isUnfit(found: Plain | Unfit): found is Unfit {
  return 'message' in found
}

/** The same object twice where every number is one that JavaScript has: nothing is copied then. */
export function toPlain(value: JsonValue): Plain | Unfit {
  if (!hasExact(value)) return { low: value, high: value }
  const copier = { unfit: undefined as Unfit | undefined, differs: false }
  const low = copy(value, '', 0, copier)
  if (copier.unfit !== undefined) return copier.unfit
  return { low, high: copier.differs ? copy(value, '', 1, copier) : low }
}

function hasExact(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof ExactNumber) return true
  if (Array.isArray(value)) return (value as readonly JsonValue[]).some(hasExact)
  for (const key in value as JsonObject) if (hasExact((value as JsonObject)[key]!)) return true
  return false
}

function copy(value: JsonValue, path: string, side: 0 | 1, copier: { unfit: Unfit | undefined; differs: boolean }): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof ExactNumber) {
    const found = neighbours(value.text)
    if (typeof found === 'string') copier.unfit ??= { path, message: found }
    else if (found[0] !== found[1]) copier.differs = true
    return typeof found === 'string' ? 0 : found[side]
  }
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item, i) => copy(item, `${path}/${i}`, side, copier))
  const made = Object.create(null) as Record<string, unknown>
  const object = value as JsonObject
  for (const key in object) made[key] = copy(object[key]!, `${path}/${escapePointer(key)}`, side, copier)
  return made
}

export function escapePointer(key: string): string {
  return key.replace(/~/g, '~0').replace(/\//g, '~1')
}

/** The doubles around a decimal, as they are written: twice the same where it is one. A text says why there are none. */
export function neighbours(text: string): readonly [number, number] | string {
  const near = Number(text)
  const range = 'must be a number within the range of a double'
  if (!Number.isFinite(near)) return range
  const own = decimalOf(text)
  const order = compare(own, decimalOf(String(near)))
  if (order === 0) return [near, near]
  const [low, high] = order < 0 ? [nextDouble(near, -1), near] : [near, nextDouble(near, 1)]
  if (!Number.isFinite(low) || !Number.isFinite(high)) return range
  // Between whole neighbours nothing could stand for a fraction.
  if (own.exponent < 0 && Number.isInteger(low) && Number.isInteger(high)) return 'must be a number with no more digits than a double has'
  return [low, high]
}

/** digits × 10^exponent, without zeros at either end; no digits are zero. */
interface Decimal {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

function decimalOf(text: string): Decimal {
  const [, sign = '', whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const all = (whole + fraction).replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  return { negative: sign === '-' && digits !== '', digits, exponent: Number(power) - fraction.length + (all.length - digits.length) }
}

/** Negative where `a` is the lesser. */
function compare(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1
  const order = compareSizes(a, b)
  return a.negative ? -order : order
}

function compareSizes(a: Decimal, b: Decimal): number {
  if (a.digits === '' || b.digits === '') return a.digits.length - b.digits.length
  const magnitude = a.exponent + a.digits.length - (b.exponent + b.digits.length)
  if (magnitude !== 0) return magnitude
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1
}

const bits = new DataView(new ArrayBuffer(8))

function nextDouble(double: number, towards: 1 | -1): number {
  if (double === 0) return towards * Number.MIN_VALUE
  bits.setFloat64(0, double)
  const away = double > 0 === towards > 0
  bits.setBigUint64(0, bits.getBigUint64(0) + (away ? 1n : -1n))
  return bits.getFloat64(0)
}
