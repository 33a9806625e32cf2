// + - * / % of CEL: 64-bit integers that overflow into an error, never into another number.
import { type CelType, dyn, int, list, string } from './cel-type.ts'
import { asInt, asUint, Uint } from './cel-value.ts'
import { binary, type Overload, unary } from './overload.ts'
import { sizeLimit } from './run.ts'
import { asDuration, asTimestamp } from './time-range.ts'

const uint: CelType = { kind: 'uint' }
const double: CelType = { kind: 'double' }
const timestamp: CelType = { kind: 'timestamp' }
const duration: CelType = { kind: 'duration' }

const million = 1_000_000n

export const arithmetic: readonly Overload[] = [
  binary('function', '+', ['int', 'int'], int, (a, b) => asInt(a + b)),
  binary('function', '-', ['int', 'int'], int, (a, b) => asInt(a - b)),
  binary('function', '*', ['int', 'int'], int, (a, b) => asInt(a * b)),
  binary('function', '/', ['int', 'int'], int, (a, b) => (b === 0n ? undefined : asInt(a / b))),
  binary('function', '%', ['int', 'int'], int, (a, b) => (b === 0n ? undefined : asInt(a % b))),
  binary('function', '+', ['uint', 'uint'], uint, (a, b) => asUint(a.value + b.value)),
  binary('function', '-', ['uint', 'uint'], uint, (a, b) => asUint(a.value - b.value)),
  binary('function', '*', ['uint', 'uint'], uint, (a, b) => asUint(a.value * b.value)),
  binary('function', '/', ['uint', 'uint'], uint, (a, b) => (b.value === 0n ? undefined : new Uint(a.value / b.value))),
  binary('function', '%', ['uint', 'uint'], uint, (a, b) => (b.value === 0n ? undefined : new Uint(a.value % b.value))),
  binary('function', '+', ['double', 'double'], double, (a, b) => a + b),
  binary('function', '-', ['double', 'double'], double, (a, b) => a - b),
  binary('function', '*', ['double', 'double'], double, (a, b) => a * b),
  binary('function', '/', ['double', 'double'], double, (a, b) => a / b),
  binary('function', '+', ['string', 'string'], string, (a, b, run) => {
    const length = a.length + b.length
    return length <= sizeLimit && run.charge(length >> 6) ? a + b : undefined
  }),
  binary('function', '+', ['list', 'list'], list(dyn), (a, b, run) => {
    const length = a.length + b.length
    return length <= sizeLimit && run.charge(length) ? [...a, ...b] : undefined
  }),
  binary('function', '+', ['duration', 'duration'], duration, (a, b) => asDuration(a.ns + b.ns)),
  binary('function', '-', ['duration', 'duration'], duration, (a, b) => asDuration(a.ns - b.ns)),
  binary('function', '+', ['timestamp', 'duration'], timestamp, (a, b) => asTimestamp(a.getTime() + Number(b.ns / million))),
  binary('function', '+', ['duration', 'timestamp'], timestamp, (a, b) => asTimestamp(b.getTime() + Number(a.ns / million))),
  binary('function', '-', ['timestamp', 'duration'], timestamp, (a, b) => asTimestamp(a.getTime() - Number(b.ns / million))),
  binary('function', '-', ['timestamp', 'timestamp'], duration, (a, b) => asDuration(BigInt(a.getTime() - b.getTime()) * million)),
  unary('function', '-_', 'int', int, a => asInt(-a)),
  unary('function', '-_', 'double', double, a => -a),
]
