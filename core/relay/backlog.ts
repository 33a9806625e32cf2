// Notifications in their order through hooks that may take their time. What waits for its turn is bounded: a server may say more than can be checked.

/** One chunk of a stream holds fewer, and hooks that take no time let none wait. */
const MAX_WAITING = 10_000
const MAX_BYTES = 16 * 1024 * 1024

export class Backlog {
  #last: Promise<void> | undefined
  #waiting = 0
  #bytes = 0

  /** Does it when everything before is done. False where too much waits: then it is dropped. */
  add(bytes: number, work: () => Promise<void>): boolean {
    if (this.#waiting >= MAX_WAITING || (this.#waiting > 0 && this.#bytes + bytes > MAX_BYTES)) return false
    this.#waiting++
    this.#bytes += bytes
    this.#last = this.#after(this.#last, bytes, work)
    return true
  }

  /** Resolves when all so far is done; rejects where a part of it did. */
  done(): Promise<void> | undefined {
    return this.#last
  }

  async #after(before: Promise<void> | undefined, bytes: number, work: () => Promise<void>): Promise<void> {
    try {
      await before
      await work()
    } finally {
      this.#waiting--
      this.#bytes -= bytes
    }
  }
}
