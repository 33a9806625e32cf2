// Collects bytes that arrive in pieces, in memory that doubles: many small pieces cost neither an object each nor quadratic copying.

export interface Gather {
  size(): number
  append(bytes: Uint8Array): void
  /** What was gathered; the memory is handed over and the gathering starts again, empty. */
  take(): Buffer
}

/** `expected`: bytes, beyond which memory does not double ahead of what came. */
export function gather(expected: number = Number.POSITIVE_INFINITY): Gather {
  let room = Buffer.alloc(0)
  let length = 0
  return {
    size: () => length,
    append(bytes) {
      const needed = length + bytes.length
      if (needed > room.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(256, needed, Math.min(room.length * 2, expected)))
        room.copy(larger, 0, 0, length)
        room = larger
      }
      room.set(bytes, length)
      length = needed
    },
    take() {
      const taken = room.subarray(0, length)
      room = Buffer.alloc(0)
      length = 0
      return taken
    },
  }
}

export interface Collector {
  /** False where it would be more than the limit. */
  push(chunk: Buffer): boolean
  take(): Uint8Array
}

/** A body: nothing is copied where it comes as one chunk, and not kept chunk by chunk where it comes as many, of one byte each perhaps. */
export function collect(maxBytes: number): Collector {
  let first: Buffer | undefined
  let all: Gather | undefined
  let size = 0
  return {
    push(chunk) {
      size += chunk.length
      if (size > maxBytes) return false
      if (first === undefined) {
        first = chunk
        return true
      }
      if (all === undefined) {
        all = gather(maxBytes)
        all.append(first)
      }
      all.append(chunk)
      return true
    },
    take: () => all?.take() ?? first ?? Buffer.alloc(0),
  }
}
