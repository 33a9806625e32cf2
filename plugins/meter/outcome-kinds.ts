// How calls end, as usage tells it apart: the columns of every count, and which of these ends are completed calls, errors, or paid for.

/** Transport, JSON-RPC and the tool's own error are kept apart. */
export const outcomeKinds = [
  'answered',
  'tool-error',
  'upstream-error',
  'timeout',
  'crashed',
  'cancelled',
  'withheld',
  'input-required',
  'unknown',
] as const
export type OutcomeKind = (typeof outcomeKinds)[number]

const KNOWN: ReadonlySet<string> = new Set(outcomeKinds)

/** An end that a later version of the record names is one of which nothing is known here. */
export function kindOf(outcome: string): OutcomeKind {
  return KNOWN.has(outcome) ? (outcome as OutcomeKind) : 'unknown'
}

// One that asks for input is made again; of an unknown one the real end may still come.
const NO_CALL: ReadonlySet<OutcomeKind> = new Set(['input-required', 'unknown'])
export const completed: readonly OutcomeKind[] = outcomeKinds.filter(kind => !NO_CALL.has(kind))

/** The three layers: what never came back, what came back as an error of JSON-RPC, and what the tool itself calls an error. */
export const errorLayers: Readonly<Record<'transport' | 'protocol' | 'tool', readonly OutcomeKind[]>> = {
  transport: ['timeout', 'crashed'],
  protocol: ['upstream-error'],
  tool: ['tool-error'],
}

/** Upper bounds in ms, inclusive, of the latency histogram; what is above the last one has a bucket of its own. */
export const latencyBounds: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]
