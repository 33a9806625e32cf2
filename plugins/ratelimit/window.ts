// Counts in a sliding window: never more than `most` within any `windowMs`, in a memory that does not grow with `most`.

interface Entry {
  /** When the first and the last of them were counted. */
  readonly from: number
  to: number
  count: number
}

/** Windows of so many are exact; in larger ones neighbours are counted together, and leave the window with the last of them. */
const maxEntries = 64

/** One that was counted, so that it can be taken back. */
export type Mark = Pick<Entry, 'count'>

export class Window {
  readonly #most: number
  readonly #windowMs: number
  #entries: Entry[] = []

  constructor(most: number, windowMs: number) {
    this.#most = most
    this.#windowMs = windowMs
  }

  /** Counts one at `now`; the milliseconds to wait where there is no place. */
  count(now: number): Mark | number {
    this.#forget(now)
    let total = 0
    for (const { count } of this.#entries) total += count
    if (total >= this.#most) return this.#waitFor(total - this.#most + 1, now)
    const last = this.#entries.at(-1)
    const joins = last !== undefined && this.#most > maxEntries && now - last.from < this.#windowMs / (maxEntries - 1)
    if (!joins) {
      const entry = { from: now, to: now, count: 1 }
      this.#entries.push(entry)
      return entry
    }
    last.to = now
    last.count += 1
    return last
  }

  /** How many entries it keeps. */
  get size(): number {
    return this.#entries.length
  }

  isEmpty(now: number): boolean {
    this.#forget(now)
    return this.#entries.length === 0
  }

  #waitFor(places: number, now: number): number {
    let freed = 0
    for (const { to, count } of this.#entries) {
      freed += count
      if (freed >= places) return to + this.#windowMs - now
    }
    return this.#windowMs
  }

  #forget(now: number): void {
    const counts = ({ to, count }: Entry): boolean => to + this.#windowMs > now && count > 0
    // What was taken back leaves from wherever it stands, or it would fill the memory of whoever asks in vain.
    if (!this.#entries.every(counts)) this.#entries = this.#entries.filter(counts)
  }
}
