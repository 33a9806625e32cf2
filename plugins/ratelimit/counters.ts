// The counters of one limit, one for each whom it counts; as many as are in use, and no more than memory has room for.
import { type Mark, Window } from './window.ts'

const maxCounters = 100_000
/** So many idle ones are let go with each new one. */
const swept = 4

export class Counters {
  /** Last used last: whoever has not come for a whole window stands first. */
  readonly #byKey = new Map<string, Window>()
  readonly #most: number
  readonly #windowMs: number

  constructor(most: number, windowMs: number) {
    this.#most = most
    this.#windowMs = windowMs
  }

  get size(): number {
    return this.#byKey.size
  }

  /** The milliseconds to wait where there is no place. A newcomer finds none while every counter is in use: none of them is forgotten for him. */
  count(key: string, now: number): Mark | number {
    let window = this.#byKey.get(key)
    if (window === undefined) {
      this.#sweep(now)
      if (this.#byKey.size >= maxCounters) return this.#windowMs
      window = new Window(this.#most, this.#windowMs)
    } else this.#byKey.delete(key)
    this.#byKey.set(key, window)
    return window.count(now)
  }

  #sweep(now: number): void {
    let left = swept
    for (const [key, window] of this.#byKey) {
      if (left-- === 0 || !window.isEmpty(now)) return
      this.#byKey.delete(key)
    }
  }
}
