// Figures as text.

/** `2026-11-01`, and for what is finer `2026-11-01T10:00Z`. */
export function writeTime(at: number, kind: 'hour' | 'day' | 'month'): string {
  const text = new Date(at).toISOString()
  if (kind === 'hour') return `${text.slice(0, 16)}Z`
  return text.slice(0, kind === 'day' ? 10 : 7)
}

/** Units from thousandths, exactly: `1.5`. */
export function writeUnits(milli: bigint): string {
  const [whole, rest] = [milli / 1000n, milli % 1000n]
  return rest === 0n ? String(whole) : `${whole}.${String(rest).padStart(3, '0').replace(/0+$/, '')}`
}
