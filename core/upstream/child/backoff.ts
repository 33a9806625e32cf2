// How long to wait before a failed server is started again: full jitter, so that many servers do not come back in step.

export interface Backoff {
  /** Upper bound of the first wait, ms; it doubles with each failure. */
  readonly baseMs: number
  /** No wait is longer, ms. */
  readonly capMs: number
}

/** `failures` counts those in a row, from 1; `random` is in [0, 1). */
export function backoffDelay(failures: number, backoff: Backoff, random: () => number): number {
  return random() * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(failures - 1, 30))
}
