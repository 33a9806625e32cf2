// Spans as the settings write them: `500ms`, `30s`, `5m`, `1h30m`, `1d`.

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds; undefined where it is none, or of no length. */
export function readDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:ms|[smhd]))+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) sum += Number(amount) * units[unit!]!
  return sum > 0 ? sum : undefined
}

/** In the largest unit that divides it. */
export function writeDuration(ms: number): string {
  const unit = Object.keys(units).findLast(one => ms % units[one]! === 0) ?? 'ms'
  return `${ms / units[unit]!}${unit}`
}
