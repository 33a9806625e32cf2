// Spans as policies and settings write them: `90s`, `15m`, `1h30m`, `7d`.

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds; undefined where it is none, or of no length. */
export function readDuration(text: string): number | undefined {
  if (!/^(?:\d+[smhd])+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)([smhd])/g)) sum += Number(amount) * units[unit!]!
  return sum > 0 && sum <= Number.MAX_SAFE_INTEGER ? sum : undefined
}
