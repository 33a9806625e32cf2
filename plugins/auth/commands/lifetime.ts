// How long a key is to hold and what it is good for, as the command line says it.
import type { Rate } from 'mcpgw/plugin'
import { rateSpans } from '../stored-key.ts'

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const maxLifeMs = 3660 * 86_400_000

/** `12h`, `90d`: ms; undefined for anything else, and for more than ten years. */
export function readDuration(text: string | boolean | undefined): number | undefined {
  const parts = typeof text === 'string' ? /^([1-9][0-9]{0,8})([mhdw])$/.exec(text) : null
  if (parts === null) return undefined
  const ms = Number(parts[1]) * unitMs[parts[2]!]!
  return ms <= maxLifeMs ? ms : undefined
}

/** `100/min`, `10/s`; undefined for anything else. */
export function readRate(text: string | boolean | undefined): Omit<Rate, 'of'> | undefined {
  const [, most, span] = (typeof text === 'string' && /^([1-9][0-9]{0,6})\/([a-z]+)$/.exec(text)) || []
  const perMs = rateSpans.find(({ name }) => name === span)?.ms
  return perMs === undefined || Number(most) > 1_000_000 ? undefined : { most: Number(most), perMs }
}

export const isoTime = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())
