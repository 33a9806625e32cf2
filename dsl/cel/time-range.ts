// What CEL takes for a point in time (years 1 to 9999) and for a duration (about 10,000 years).
import { CelDuration } from './cel-value.ts'

const first = -62_135_596_800_000
const last = 253_402_300_799_999

export function asTimestamp(ms: number): Date | undefined {
  return ms >= first && ms <= last ? new Date(ms) : undefined
}

const longest = 315_576_000_000n * 1_000_000_000n

export function asDuration(ns: bigint): CelDuration | undefined {
  return ns >= -longest && ns <= longest ? new CelDuration(ns) : undefined
}
