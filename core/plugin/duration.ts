// Spans of time as settings, policies and commands write them: `90s`, `15m`, `1h30m`. Who reads them says which units and sizes it takes.

export type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w'

export interface DurationForm {
  readonly units: readonly DurationUnit[]
  /** Of each number; absent: any. */
  readonly digits?: number
  /** Milliseconds; absent: what a number can say exactly. */
  readonly most?: number
}

const MS: Readonly<Record<DurationUnit, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Milliseconds; undefined where it is no span of this form, or of no length. */
export function readDuration(
  text: string,
  { units, digits = Number.POSITIVE_INFINITY, most = Number.MAX_SAFE_INTEGER }: DurationForm,
): number | undefined {
  if (!/^(?:\d+(?:ms|[smhdw]))+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount = '', named] of text.matchAll(/(\d+)(ms|[smhdw])/g)) {
    const unit = units.find(one => one === named)
    if (unit === undefined || amount.length > digits) return undefined
    sum += Number(amount) * MS[unit]
  }
  return sum > 0 && sum <= most ? sum : undefined
}

/** In the largest of the units that divides it; in milliseconds where none does. */
export function writeDuration(ms: number, units: readonly DurationUnit[]): string {
  const unit = units.filter(one => ms % MS[one] === 0).reduce<DurationUnit>((most, one) => (MS[one] > MS[most] ? one : most), 'ms')
  return `${ms / MS[unit]}${unit}`
}
