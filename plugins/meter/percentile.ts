// Percentiles from a histogram: where in its bucket a value is, the share of the bucket tells.
import { latencyBounds } from './outcome-kinds.ts'

/** Milliseconds, never beyond the bounds of the bucket that the value is in; null where nothing was counted. What is above all bounds is the last one. */
export function percentile(buckets: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, size) => sum + size, 0)
  if (total <= 0) return null
  const wanted = Math.max(1, Math.ceil(total * share))
  let before = 0
  for (const [i, size] of buckets.entries()) {
    if (before + size >= wanted && size > 0) {
      const [low, high] = [latencyBounds[i - 1] ?? 0, latencyBounds[i] ?? latencyBounds.at(-1)!]
      return Number((low + ((high - low) * (wanted - before)) / size).toPrecision(3))
    }
    before += size
  }
  return latencyBounds.at(-1)!
}
