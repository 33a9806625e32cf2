// What CEL takes for a point in time (years 1 to 9999) and for a duration (64 bits of nanoseconds, 292 years).
import { asInt, CelDuration } from './cel-value.ts'

const first = -62_135_596_800_000
const last = 253_402_300_799_999

export function asTimestamp(ms: number): Date | undefined {
  return ms >= first && ms <= last ? new Date(ms) : undefined
}

export function asDuration(ns: bigint): CelDuration | undefined {
  return asInt(ns) === undefined ? undefined : new CelDuration(ns)
}
