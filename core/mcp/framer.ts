// Cuts a byte stream into lines: the framing of MCP over stdio, both towards servers and towards clients.

export type FramingFault =
  /** A line over `maxBytes` has ended and was dropped; its first and last bytes may still tell whose it was. */
  | { readonly kind: 'oversize'; readonly bytes: number; readonly head: Uint8Array; readonly tail: Uint8Array }
  /** A line has outgrown even what is worth skipping, or never ends. Said once; the framer is done. */
  | { readonly kind: 'runaway'; readonly bytes: number }

export interface LineFramerOptions {
  /** The longest line that is delivered, without its line end. */
  readonly maxBytes: number
  /** How much of one line is read before it is a runaway. Default 8 x maxBytes. */
  readonly skipBytes?: number
  /** One line without its line end (LF or CRLF), never empty. It may share memory with the chunk, so it must not be changed. */
  readonly onLine: (line: Buffer) => void
  readonly onFault: (fault: FramingFault) => void
}

export interface LineFramer {
  push(chunk: Buffer): void
  /** No further line is delivered, not even from the chunk at hand. What was not ended by a newline is no line. */
  stop(): void
}

const lf = 10
const cr = 13
const edge = 256

/** Memory: at most two times `maxBytes`, however the bytes arrive; each byte is copied at most three times. */
export function createLineFramer(options: LineFramerOptions): LineFramer {
  const { maxBytes, onLine, onFault } = options
  const skipBytes = options.skipBytes ?? maxBytes * 8
  let stopped = false
  // The begun line: held[0..length). While skipping, only its edges are kept and `length` goes on counting.
  let held: Buffer | undefined
  let length = 0
  let skipping: { readonly head: Buffer; tail: Buffer } | undefined

  function push(chunk: Buffer): void {
    let start = 0
    while (!stopped) {
      const end = chunk.indexOf(lf, start)
      if (end === -1) break
      if (length === 0) deliver(chunk, start, end)
      else endHeld(chunk.subarray(start, end))
      start = end + 1
    }
    if (!stopped && start < chunk.length) hold(start === 0 ? chunk : chunk.subarray(start))
  }

  function deliver(bytes: Buffer, start: number, lineEnd: number): void {
    const end = lineEnd > start && bytes[lineEnd - 1] === cr ? lineEnd - 1 : lineEnd
    if (end === start) return
    const line = bytes.subarray(start, end)
    if (line.length <= maxBytes) onLine(line)
    else onFault({ kind: 'oversize', bytes: line.length, head: copyHead(line), tail: copyTail(line) })
  }

  function endHeld(rest: Buffer): void {
    if (rest.length > 0) hold(rest)
    if (stopped) return
    const [bytes, total, skipped] = [held, length, skipping]
    held = undefined
    length = 0
    skipping = undefined
    if (skipped !== undefined) {
      const ending = skipped.tail.at(-1) === cr ? 1 : 0
      const tail = skipped.tail.subarray(0, skipped.tail.length - ending)
      onFault({ kind: 'oversize', bytes: total - ending, head: skipped.head, tail })
    } else if (bytes !== undefined) deliver(bytes, 0, total)
  }

  function hold(part: Buffer): void {
    const total = length + part.length
    if (skipping !== undefined) {
      skipping.tail = copyTail(Buffer.concat([skipping.tail, part.subarray(-edge)]))
    } else if (total > maxBytes + 1) {
      // One byte more than the limit is held, because it may be the CR of the line end.
      const begun = held === undefined ? part : Buffer.concat([held.subarray(0, Math.min(length, edge)), part.subarray(0, edge)])
      const ended = held === undefined ? part : Buffer.concat([held.subarray(Math.max(0, length - edge), length), part.subarray(-edge)])
      skipping = { head: copyHead(begun), tail: copyTail(ended) }
      held = undefined
    } else {
      append(part, total)
    }
    length = total
    if (length > skipBytes) {
      stopped = true
      held = undefined
      onFault({ kind: 'runaway', bytes: length })
    }
  }

  // Grows by doubling: a server that drips single bytes costs no more memory or copying than one that does not.
  function append(part: Buffer, total: number): void {
    if (held === undefined || held.length < total) {
      const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(total * 2, 1024), Math.max(total, maxBytes + 1)))
      held?.copy(grown, 0, 0, length)
      held = grown
    }
    part.copy(held, length)
  }

  return {
    push,
    stop() {
      stopped = true
      held = undefined
    },
  }
}

function copyHead(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, edge))
}

function copyTail(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(-edge))
}
