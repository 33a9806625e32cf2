// A point in time as the clocks of a zone show it. The zone of this machine plays no part.
import type { Run } from './run.ts'

const fixed = /^([+-])?(\d\d):(\d\d)$/

/** Its UTC fields are the wall clock of the zone; undefined for a zone that nobody knows. */
export function inZone(date: Date, zone: string, run: Run): Date | undefined {
  const offset = fixed.exec(zone)
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    if (Number(offset[2]) > 23 || Number(offset[3]) > 59) return undefined
    return new Date(date.getTime() + minutes * 60_000 * (offset[1] === '-' ? -1 : 1))
  }
  const clock = clockOf(zone, run)
  if (clock === undefined) return undefined
  const shown = new Map(clock.formatToParts(date).map(one => [one.type, Number(one.value)]))
  const wall = new Date(0)
  wall.setUTCFullYear(shown.get('year') ?? 0, (shown.get('month') ?? 1) - 1, shown.get('day') ?? 1)
  wall.setUTCHours(shown.get('hour') ?? 0, shown.get('minute') ?? 0, shown.get('second') ?? 0, date.getUTCMilliseconds())
  return wall
}

// Zones may come from arguments: what is remembered is bounded.
const clocks = new Map<string, Intl.DateTimeFormat | undefined>()

function clockOf(zone: string, run: Run): Intl.DateTimeFormat | undefined {
  if (zone.length > 64) return undefined
  if (clocks.has(zone)) return clocks.get(zone)
  // A zone costs more at first.
  if (!run.charge(1_500)) return undefined
  if (clocks.size >= 64) clocks.clear()
  const clock = makeClock(zone)
  clocks.set(zone, clock)
  return clock
}

function makeClock(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
}

export function dayOfYear(wall: Date): number {
  const start = new Date(0)
  start.setUTCFullYear(wall.getUTCFullYear(), 0, 1)
  return Math.floor((wall.getTime() - start.getTime()) / 86_400_000)
}
