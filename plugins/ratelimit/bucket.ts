// A bucket that fills evenly, kept as the one moment at which it will be full.

export class Bucket {
  /** Of the sharing in which it last took over what all gateways have counted. */
  generation = 0
  seen = ''
  alone = 0
  pending = 0
  readonly #everyMs: number
  readonly #depthMs: number
  #fullAt = 0

  /** `everyMs`: in which one is filled in. `depthMs`: so far may it be from full. */
  constructor(everyMs: number, depthMs: number) {
    this.#everyMs = everyMs
    this.#depthMs = depthMs
  }

  /** Milliseconds until there may be so many; 0 where there are. */
  waitFor(cost: number, now: number): number {
    const missing = this.used(now) + (this.pending + cost) * this.#everyMs - this.#depthMs
    // Sums of fractions are not exact.
    return missing > this.#everyMs / 1e6 ? missing : 0
  }

  add(cost: number, now: number): undefined {
    this.#fullAt = Math.max(now, this.#fullAt) + cost * this.#everyMs
  }

  /** Milliseconds until it is full. */
  used(now: number): number {
    return Math.max(0, this.#fullAt - now)
  }

  /** So many milliseconds later, with nothing counted meanwhile. */
  usedAfter(ms: number, now: number): number {
    return this.used(now + ms)
  }

  agree(used: number, now: number): void {
    this.#fullAt = now + used
  }

  isIdle(now: number): boolean {
    return this.#fullAt <= now && this.pending === 0
  }
}
