// int(), uint(), double(), string(), bool(), timestamp(), duration(), type(), dyn(): conversions that lose nothing silently.
import { bool, type CelType, dyn, int, string } from './cel-type.ts'
import { asInt, asUint, type Cel, type Kind, kindOf, TypeName } from './cel-value.ts'
import { type Overload, unary } from './overload.ts'
import { asTimestamp } from './time-range.ts'
import { durationOf, textOfDuration, textOfTimestamp, timestampOf } from './time-text.ts'

const timestamp: CelType = { kind: 'timestamp' }
const duration: CelType = { kind: 'duration' }
const uint: CelType = { kind: 'uint' }
const double: CelType = { kind: 'double' }

const convert = <A extends Kind>(name: string, from: A, to: CelType, body: Parameters<typeof unary<A>>[4]): Overload =>
  unary('function', name, from, to, body)

const digits = /^[+-]?\d{1,20}$/
const truths: Readonly<Record<string, boolean>> = {
  '1': true, t: true, true: true, TRUE: true, True: true,
  '0': false, f: false, false: false, FALSE: false, False: false,
} // biome-ignore format: one row a truth
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

function doubleOf(text: string): number | undefined {
  if (text.length > 400) return undefined
  if (/^\+?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY
  if (/^nan$/i.test(text)) return Number.NaN
  return decimal.test(text) ? Number(text) : undefined
}

function textOfDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

const toInt = (value: number): bigint | undefined => (value > -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : undefined)
const toUint = (value: number): Cel | undefined => (value >= 0 && value < 2 ** 64 ? asUint(BigInt(Math.trunc(value))) : undefined)

const typeNames: Readonly<Record<string, string>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
}

/** Types that have a name in conditions. */
export const namedTypes: ReadonlySet<string> = new Set(['bool', 'int', 'uint', 'double', 'string', 'list', 'map', 'null_type', 'type'])

export const conversions: readonly Overload[] = [
  convert('dyn', 'dyn', dyn, a => a),
  convert('type', 'dyn', { kind: 'type' }, a => {
    const kind = kindOf(a)
    return kind && new TypeName(typeNames[kind] ?? kind)
  }),
  convert('bool', 'bool', bool, a => a),
  convert('bool', 'string', bool, a => (Object.hasOwn(truths, a) ? truths[a] : undefined)),
  convert('int', 'int', int, a => a),
  convert('int', 'uint', int, a => asInt(a.value)),
  convert('int', 'double', int, toInt),
  convert('int', 'string', int, a => (digits.test(a) ? asInt(BigInt(a.replace(/^\+/, ''))) : undefined)),
  convert('int', 'timestamp', int, a => BigInt(Math.floor(a.getTime() / 1000))),
  convert('uint', 'uint', uint, a => a),
  convert('uint', 'int', uint, asUint),
  convert('uint', 'double', uint, toUint),
  convert('uint', 'string', uint, a => (digits.test(a) ? asUint(BigInt(a.replace(/^\+/, ''))) : undefined)),
  convert('double', 'double', double, a => a),
  convert('double', 'int', double, a => Number(a)),
  convert('double', 'uint', double, a => Number(a.value)),
  convert('double', 'string', double, (a, run) => (run.charge(a.length >> 4) ? doubleOf(a) : undefined)),
  convert('string', 'string', string, a => a),
  convert('string', 'bool', string, a => String(a)),
  convert('string', 'int', string, (a, run) => {
    const text = String(a)
    return run.charge(text.length >> 2) ? text : undefined
  }),
  convert('string', 'uint', string, a => String(a.value)),
  convert('string', 'double', string, textOfDouble),
  convert('string', 'timestamp', string, (a, run) => (run.charge(4) ? textOfTimestamp(a) : undefined)),
  convert('string', 'duration', string, (a, run) => (run.charge(4) ? textOfDuration(a) : undefined)),
  convert('timestamp', 'timestamp', timestamp, a => a),
  convert('timestamp', 'string', timestamp, (a, run) => (run.charge(12) ? timestampOf(a) : undefined)),
  convert('timestamp', 'int', timestamp, a => asTimestamp(Number(a) * 1000)),
  convert('duration', 'duration', duration, a => a),
  convert('duration', 'string', duration, (a, run) => (run.charge(10 + a.length) ? durationOf(a) : undefined)),
]
