// Medians and percentiles; the benchmark reports no mean, which one slow call would move.

/**
 * @param {readonly number[]} values
 * @param {number} share 0 to 1
 */
export function percentile(values, share) {
  if (values.length === 0) return Number.NaN
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length / 2
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN
  const high = sorted[Math.floor(middle)] ?? Number.NaN
  return (low + high) / 2
}

/**
 * The median over rounds of value / reference of the same round: a slow moment of the machine hits both and cancels out.
 * @param {readonly number[]} values one a round
 * @param {readonly number[]} references one a round
 */
export function medianRatio(values, references) {
  return median(values.map((value, round) => value / (references[round] ?? Number.NaN)))
}
