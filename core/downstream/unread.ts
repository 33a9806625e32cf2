// What clients have not read yet: bounded for each connection and for all together; over it, those that lag most are cut.
import type { ServerResponse } from 'node:http'

export interface UnreadLimits {
  /** Of one connection, before something more is said on it. */
  readonly each: number
  readonly total: number
  /** A connection that has something to read and takes nothing for so long is cut. */
  readonly stallMs: number
}

/** Less than this counts as nothing. */
const FREE = 16 * 1024

export class Unread {
  readonly #limits: UnreadLimits
  /** What each held when it was looked at last. */
  readonly #lagging = new Map<ServerResponse, number>()
  #held = 0

  constructor(limits: UnreadLimits) {
    this.#limits = limits
  }

  get held(): number {
    return this.#held
  }

  /** False where so much is unread that the connection was cut instead. */
  allows(response: ServerResponse): boolean {
    if (response.writableLength <= this.#limits.each) return true
    response.destroy()
    return false
  }

  /** After each write. */
  note(response: ServerResponse): void {
    const unread = response.writableLength
    if (unread <= FREE) return
    const before = this.#lagging.get(response)
    if (before === undefined) {
      // Node counts progress inside of one long write as activity too.
      response.socket?.setTimeout(this.#limits.stallMs)
      response.once('close', () => this.#forget(response))
    }
    this.#lagging.set(response, unread)
    this.#held += unread - (before ?? 0)
    if (this.#held > this.#limits.total) this.#shed()
  }

  #forget(response: ServerResponse): void {
    this.#held -= this.#lagging.get(response) ?? 0
    this.#lagging.delete(response)
  }

  #shed(): void {
    this.#held = 0
    for (const response of this.#lagging.keys()) {
      // What the system takes at once is not unread.
      response.socket?.uncork()
      const unread = response.writableLength
      this.#lagging.set(response, unread)
      this.#held += unread
    }
    if (this.#held <= this.#limits.total) return
    // A quarter is made free, so that this is rare.
    for (const [response] of [...this.#lagging].toSorted((a, b) => b[1] - a[1])) {
      if (this.#held <= this.#limits.total * 0.75) return
      this.#forget(response)
      response.destroy()
    }
  }
}
