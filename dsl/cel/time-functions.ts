// Getters of timestamps, with and without a zone, and of durations.
import { int } from './cel-type.ts'
import { binary, type Overload, unary } from './overload.ts'
import { dayOfYear, inZone } from './time-zone.ts'

const getters: Readonly<Record<string, (wall: Date) => number>> = {
  getFullYear: wall => wall.getUTCFullYear(),
  getMonth: wall => wall.getUTCMonth(),
  getDate: wall => wall.getUTCDate(),
  getDayOfMonth: wall => wall.getUTCDate() - 1,
  getDayOfWeek: wall => wall.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: wall => wall.getUTCHours(),
  getMinutes: wall => wall.getUTCMinutes(),
  getSeconds: wall => wall.getUTCSeconds(),
  getMilliseconds: wall => wall.getUTCMilliseconds(),
}

const ofTimestamps = Object.entries(getters).flatMap(([name, get]) => [
  unary('method', name, 'timestamp', int, at => BigInt(get(at))),
  binary('method', name, ['timestamp', 'string'], int, (at, zone, run) => {
    const wall = run.charge(500) ? inZone(at, zone, run) : undefined
    return wall && BigInt(get(wall))
  }),
])

export const timeFunctions: readonly Overload[] = [
  ...ofTimestamps,
  unary('method', 'getHours', 'duration', int, a => a.ns / 3_600_000_000_000n),
  unary('method', 'getMinutes', 'duration', int, a => a.ns / 60_000_000_000n),
  unary('method', 'getSeconds', 'duration', int, a => a.ns / 1_000_000_000n),
  unary('method', 'getMilliseconds', 'duration', int, a => (a.ns / 1_000_000n) % 1_000n),
]
