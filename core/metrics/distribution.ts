// One series of a histogram: how often values were at most each bound, and what they add up to.

export class Distribution {
  readonly bounds: readonly number[]
  /** By bound, each value once; what is above all of them is in `count` alone. */
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    const { bounds } = this
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at++
    if (at < bounds.length) this.counts[at]!++
    this.sum += value
    this.count++
  }
}
