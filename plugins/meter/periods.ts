// Days and months in UTC: what budgets and reports go by.

const DAY_MS = 86_400_000

/** ms since 1970; `to` is behind the end. */
export interface Period {
  readonly from: number
  readonly to: number
}

/** The one that `now` is in. */
export function periodAt(kind: 'day' | 'month', now: number): Period {
  const date = new Date(now)
  if (kind === 'month') return month(date.getUTCFullYear(), date.getUTCMonth())
  const from = Math.floor(now / DAY_MS) * DAY_MS
  return { from, to: from + DAY_MS }
}

export const EXPECTED =
  'expected a month such as 2026-11, a day such as 2026-11-28, days such as 2026-11-01..2026-11-30, today, this-month or last-month'

/** `now`: ms since 1970. Undefined where the text is none of what is expected. */
export function readPeriod(text: string, now: number): Period | undefined {
  const date = new Date(now)
  if (text === 'today') return periodAt('day', now)
  if (text === 'this-month') return periodAt('month', now)
  if (text === 'last-month') return month(date.getUTCFullYear(), date.getUTCMonth() - 1)
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? []
  if (year !== undefined && number !== undefined) return month(Number(year), Number(number) - 1)
  const [, first, last = first] = /^(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?$/.exec(text) ?? []
  const [from, until] = [readDay(first), readDay(last)]
  return from === undefined || until === undefined || until < from ? undefined : { from, to: until + DAY_MS }
}

function month(year: number, index: number): Period {
  return { from: Date.UTC(year, index, 1), to: Date.UTC(year, index + 1, 1) }
}

/** Undefined for a day that no calendar has, such as 2026-02-30. */
function readDay(text: string | undefined): number | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text!) ? at : undefined
}
