// Counts in a sliding window: never more than `most` within any `spanMs`, in a memory that does not grow with `most`.

interface Entry {
  /** When the first and the last of them were counted. */
  readonly from: number
  to: number
  count: number
}

/** Windows of so many are exact; in larger ones neighbours are counted together, and leave the window with the last of them. */
export const maxEntries = 64

/** What was counted, so that it can be taken back. */
export type Mark = Pick<Entry, 'count'>

export class Window {
  /** Of the sharing in which it last took over what all gateways have counted, */
  generation = 0
  /** and the time there, as Redis tells it. */
  seen = ''
  /** How many this gateway has counted alone since. */
  alone = 0
  /** How many may yet be counted: each has its place already. */
  pending = 0
  readonly #most: number
  readonly #spanMs: number
  #entries: Entry[] = []

  constructor(most: number, spanMs: number) {
    this.#most = most
    this.#spanMs = spanMs
  }

  /** Milliseconds until there may be a place for so many; 0 where there is one now. */
  waitFor(cost: number, now: number): number {
    const places = this.used(now) + this.pending + cost - this.#most
    if (places <= 0) return 0
    let freed = 0
    for (const { to, count } of this.#entries) {
      freed += count
      if (freed >= places) return to + this.#spanMs - now
    }
    return this.#spanMs
  }

  add(cost: number, now: number): Mark {
    const last = this.#entries.at(-1)
    const joins = last !== undefined && this.#most > maxEntries && now - last.from < this.#spanMs / (maxEntries - 1)
    if (!joins) {
      const entry = { from: now, to: now, count: cost }
      this.#entries.push(entry)
      return entry
    }
    last.to = now
    last.count += cost
    return last
  }

  /** How many there are within the span that ends now. */
  used(now: number): number {
    this.#forget(now)
    let total = 0
    for (const { count } of this.#entries) total += count
    return total
  }

  /** So many milliseconds later, with nothing counted meanwhile. */
  usedAfter(ms: number, now: number): number {
    let total = 0
    for (const { to, count } of this.#entries) if (to + this.#spanMs > now + ms) total += count
    return total
  }

  /**
   * All gateways together have counted `used`, `newer` of them since this was last told. Those are taken to be of now, and what has left was the oldest
   * here: so each leaves this window no sooner than the one that all share.
   */
  agree(used: number, now: number, newer: number): void {
    let over = this.used(now) - Math.max(0, used - newer)
    const added = Math.max(newer, newer - over)
    while (over > 0) {
      const oldest = this.#entries[0]!
      const taken = Math.min(over, oldest.count)
      oldest.count -= taken
      over -= taken
      if (oldest.count === 0) this.#entries.shift()
    }
    if (added > 0) this.add(added, now)
  }

  /** How many entries it keeps. */
  get size(): number {
    return this.#entries.length
  }

  isIdle(now: number): boolean {
    this.#forget(now)
    return this.#entries.length === 0 && this.pending === 0
  }

  #forget(now: number): void {
    const counts = ({ to, count }: Entry): boolean => to + this.#spanMs > now && count > 0
    // What was taken back leaves from wherever it stands, or it would fill the memory of whoever asks in vain.
    if (!this.#entries.every(counts)) this.#entries = this.#entries.filter(counts)
  }
}
