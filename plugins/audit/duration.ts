// Durations as the settings give them.
import { z } from 'zod'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds. */
export const duration: z.ZodType<number, string | number> = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?\s*(ms|s|m|h)$/, 'expected a duration such as "2s" or "500ms", or milliseconds')])
  .transform(value => {
    if (typeof value === 'number') return value
    const [, amount, unit] = /^([\d.]+)\s*(\w+)$/.exec(value)!
    return Number(amount) * UNITS[unit!]!
  })

/** Milliseconds that an answer may take. */
export const timeout: z.ZodType<number, string | number | undefined> = duration
  .pipe(z.number().min(100, 'expected at least 100 ms').max(60_000, 'expected at most 60 s'))
  .default(10_000)
