// The time that a report is about, in whole days of UTC: an auditor's month is everybody's month.

/** ms since 1970; `to` is behind the end. */
export interface Period {
  readonly from: number
  readonly to: number
}

export const EXPECTED = 'expected a month such as 2026-11, days such as 2026-11-01..2026-11-30, or last-month'

/** `now`: ms since 1970. Undefined where the text is none of what is expected. */
export function readPeriod(text: string, now: number): Period | undefined {
  if (text === 'last-month') {
    const date = new Date(now)
    return month(date.getUTCFullYear(), date.getUTCMonth() - 1)
  }
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? []
  if (year !== undefined && number !== undefined) return month(Number(year), Number(number) - 1)
  const [, first, last] = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/.exec(text) ?? []
  const [from, until] = [readDay(first), readDay(last)]
  return from === undefined || until === undefined || until < from ? undefined : { from, to: until + DAY_MS }
}

const DAY_MS = 86_400_000

function month(year: number, index: number): Period {
  return { from: Date.UTC(year, index, 1), to: Date.UTC(year, index + 1, 1) }
}

/** Undefined for a day that no calendar has, such as 2026-02-30. */
function readDay(text: string | undefined): number | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text!) ? at : undefined
}
