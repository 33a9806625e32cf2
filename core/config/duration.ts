// Durations as people write them: `250ms`, `30s`, `5m`, `2h`, or a number of milliseconds.

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
// The longest a timer of Node can wait.
const longest = 2_147_483_647

/** Milliseconds; `otherwise` where there is none. */
export function readDuration(value: string | number | undefined, otherwise: number): number {
  return value === undefined ? otherwise : (parseDuration(value) ?? otherwise)
}

/** Milliseconds; undefined where it is no duration. */
export function parseDuration(value: string | number): number | undefined {
  const [, digits, unit = 'ms'] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)?$/.exec(String(value)) ?? []
  if (digits === undefined) return undefined
  const ms = Math.round(Number(digits) * (units[unit] ?? Number.NaN))
  return ms <= longest ? ms : undefined
}
