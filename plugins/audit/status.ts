// How a call ended, as its record says it: read from what came back, and from what the pipeline made of it.
import type { Answer, Exchange, Outcome } from 'mcpgw/plugin'

export type Status = 'answered' | 'input-required' | 'tool-error' | 'upstream-error' | 'timeout' | 'cancelled' | 'crashed' | 'withheld'

function endOf(isToolError: boolean | undefined, isInputRequired: boolean | undefined): Status {
  if (isInputRequired === true) return 'input-required'
  return isToolError === true ? 'tool-error' : 'answered'
}

export function readStatus(answer: Answer): Status {
  if (answer.kind === 'result') return endOf(answer.isToolError, answer.isInputRequired)
  switch (answer.code) {
    case 'upstream-timeout':
      return 'timeout'
    case 'upstream-crashed':
    case 'upstream-unavailable':
      return 'crashed'
    case 'cancelled':
    case 'credential-ended':
      return 'cancelled'
    case 'withheld':
      return 'withheld'
    default:
      return 'upstream-error'
  }
}

/** The gateway's code where it made the error, else the server's number. */
export function errorCode({ kind, code, payload }: Answer): string | undefined {
  if (kind === 'result') return undefined
  if (code !== undefined) return code
  const number = (payload.value as { code?: unknown } | null)?.code
  return typeof number === 'number' ? String(number) : undefined
}

export function statusOf(outcome: Outcome): Status {
  if (outcome.kind === 'cancelled') return 'cancelled'
  if (outcome.kind === 'answered') return endOf(outcome.isToolError, outcome.isInputRequired)
  if (outcome.kind === 'failed' && outcome.cause !== 'internal') return outcome.cause
  return 'upstream-error'
}

/** Counts by type, as maskers leave them in notes that end in `.redactions`. */
export function redactions(x: Exchange): string {
  if (x.notes.size === 0) return ''
  const counts: Record<string, number> = {}
  for (const [key, value] of x.notes) {
    if (!key.endsWith('.redactions') || typeof value !== 'object' || value === null) continue
    for (const [type, count] of Object.entries(value)) if (typeof count === 'number') counts[type] = (counts[type] ?? 0) + count
  }
  return Object.keys(counts).length === 0 ? '' : `,"redactions":${JSON.stringify(counts)}`
}

/** Who answered in the place of a server, as plugins leave it in notes that end in `.answer`: who, how old it was, and whether it had ended. */
export function substitute(x: Exchange): { readonly members: string; readonly isStale: boolean } | undefined {
  if (x.notes.size === 0) return undefined
  for (const [key, value] of x.notes) {
    if (!key.endsWith('.answer') || typeof value !== 'object' || value === null) continue
    const { ageMs, stale } = value as { readonly ageMs?: unknown; readonly stale?: unknown }
    const from = key.slice(0, -'.answer'.length)
    const told = { from, ...(typeof ageMs === 'number' && { ageMs }), ...(stale === true && { stale }) }
    return { members: `,"answered":${JSON.stringify(told)}`, isStale: stale === true }
  }
  return undefined
}
