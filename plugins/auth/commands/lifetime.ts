// How long a key is to hold, as the command line says it.
const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const maxLifeMs = 3660 * 86_400_000

/** `12h`, `90d`: ms; undefined for anything else, and for more than ten years. */
export function readDuration(text: string | boolean | undefined): number | undefined {
  const parts = typeof text === 'string' ? /^([1-9][0-9]{0,8})([mhdw])$/.exec(text) : null
  if (parts === null) return undefined
  const ms = Number(parts[1]) * unitMs[parts[2]!]!
  return ms <= maxLifeMs ? ms : undefined
}

export const isoTime = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())
