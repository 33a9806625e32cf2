// What is sent to a remote server and is no request: few at once, the rest waits, within bounds.
import type { Log } from '../../plugin/index.ts'

export interface Postbox {
  push(message: Uint8Array): void
  /** One that was posted has been acknowledged, or never will be. */
  acknowledged(): void
  clear(): void
}

export interface PostboxOptions {
  readonly origin: string
  /** Bound of all that waits. */
  readonly maxBytes: number
  readonly log: Log
  post(message: Uint8Array): void
}

/** Each takes a connection until the server acknowledges it: one that never does must not gather them. */
const MAX_OPEN = 100
const MAX_WAITING = 10_000

export function createPostbox({ origin, maxBytes, log, post }: PostboxOptions): Postbox {
  let open = 0
  let waiting: Uint8Array[] = []
  let bytes = 0
  let unsent = 0

  function postNow(message: Uint8Array): void {
    open++
    post(message)
  }

  return {
    push(message) {
      if (open < MAX_OPEN) return postNow(message)
      if (waiting.length < MAX_WAITING && bytes + message.length <= maxBytes) {
        waiting.push(message)
        bytes += message.length
      } else if (unsent++ === 0) log.warn('server does not acknowledge what it is sent; the rest is not sent', { origin })
    },
    acknowledged() {
      open--
      const next = waiting.shift()
      if (next === undefined) return
      bytes -= next.length
      postNow(next)
    },
    clear() {
      waiting = []
      bytes = 0
    },
  }
}
