// What clients have not read yet: bounded for each connection and for all together; over it, those that lag most are cut.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface UnreadLimits {
  /** Of one response, before something more is said on it. */
  readonly each: number
  readonly total: number
  /** A connection that has something to read and takes nothing for so long is cut. */
  readonly stallMs: number
}

/** Less than this counts as nothing. */
const FREE = 16 * 1024

/** The connection that a response goes out on, now or after those before it; `undefined` where nothing can be written any more. */
export function connectionOf(response: ServerResponse): Socket | undefined {
  // Invariant: of pipelined requests Node closes only the response whose turn it is; the socket knows for all of them.
  const { socket } = response.req
  return response.writableEnded || socket.destroyed ? undefined : socket
}

export class Unread {
  readonly #limits: UnreadLimits
  /** What each held when it was looked at last; also of those that have ended. */
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
    if (response.writableLength <= this.#limits.each || unreadOf(response) <= this.#limits.each) return true
    response.req.socket.destroy()
    return false
  }

  /** After each write. */
  note(response: ServerResponse): void {
    const unread = response.writableLength
    if (unread <= FREE || response.req.socket.destroyed) return
    const before = this.#lagging.get(response)
    // Node counts progress inside of one long write as activity too.
    if (before === undefined) response.req.socket.setTimeout(this.#limits.stallMs)
    this.#lagging.set(response, unread)
    this.#held += unread - (before ?? 0)
    if (this.#held > this.#limits.total) this.#shed()
  }

  /** Now and then: forgets what was read meanwhile. */
  recount(): void {
    this.#held = 0
    for (const response of this.#lagging.keys()) {
      const unread = response.req.socket.destroyed ? 0 : unreadOf(response)
      this.#held += unread
      if (unread === 0) this.#lagging.delete(response)
      else this.#lagging.set(response, unread)
    }
  }

  #shed(): void {
    this.recount()
    if (this.#held <= this.#limits.total) return
    const bySocket = new Map<Socket, number>()
    for (const [response, unread] of this.#lagging) {
      const { socket } = response.req
      bySocket.set(socket, (bySocket.get(socket) ?? 0) + unread)
    }
    // Of those that lag alike the newest goes first: one message to a crowd that has just come does not cost the others theirs.
    const alike = 0.75 * Math.max(...bySocket.values())
    const rank = (unread: number): number => Math.min(unread, alike)
    const order = [...bySocket].toReversed().toSorted((a, b) => rank(b[1]) - rank(a[1]))
    // A quarter is made free, so that this is rare.
    for (const [socket, unread] of order) {
      if (this.#held <= this.#limits.total * 0.75) break
      this.#held -= unread
      socket.destroy()
    }
    this.recount()
  }
}

function unreadOf(response: ServerResponse): number {
  // What the system takes at once is not unread.
  response.socket?.uncork()
  return response.writableLength
}
