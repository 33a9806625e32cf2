// Timestamps (RFC 3339) and durations (`1h30m`) as text, strictly.
import { CelDuration } from './cel-value.ts'
import { asDuration, asTimestamp } from './time-range.ts'

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Kept to the millisecond. */
export function timestampOf(text: string): Date | undefined {
  const match = rfc3339.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  date.setUTCHours(hour, minute, second, Number((match[7] ?? '').padEnd(3, '0').slice(0, 3)))
  const offset = (offsetHour * 60 + offsetMinute) * 60_000 * (match[8] === '-' ? -1 : 1)
  return asTimestamp(date.getTime() - offset)
}

export function textOfTimestamp(date: Date): string {
  return date.toISOString().replace(/\.?0*Z$/, 'Z')
}

const nanoseconds: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
}
const part = /(\d{1,18})?(?:\.(\d{1,18}))?(h|ms|us|µs|ns|m|s)/y

export function durationOf(text: string): CelDuration | undefined {
  if (text.length > 100) return undefined
  const signed = text.startsWith('-') || text.startsWith('+')
  let at = signed ? 1 : 0
  if (text.slice(at) === '0') return new CelDuration(0n)
  if (at === text.length) return undefined
  let total = 0n
  while (at < text.length) {
    part.lastIndex = at
    const match = part.exec(text)
    if (match === null || (match[1] === undefined && match[2] === undefined)) return undefined
    const unit = nanoseconds[match[3]!]!
    total += BigInt(match[1] ?? 0) * unit
    if (match[2] !== undefined) total += (BigInt(match[2]) * unit) / 10n ** BigInt(match[2].length)
    at = part.lastIndex
  }
  return asDuration(text.startsWith('-') ? -total : total)
}

export function textOfDuration(duration: CelDuration): string {
  const sign = duration.ns < 0n ? '-' : ''
  const ns = duration.ns < 0n ? -duration.ns : duration.ns
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${ns / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}s`
}
