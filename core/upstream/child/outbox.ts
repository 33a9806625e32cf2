// Writes lines to a server's standard input: bounded, and many messages of one turn of the event loop in one system call.
import type { Writable } from 'node:stream'

export interface Outbox {
  /** False where the queue is full; then nothing was taken. */
  push(message: Uint8Array): boolean
  /** True once more waits than a reader that keeps up would leave. */
  readonly backedUp: boolean
}

const lf = 10
const cr = 13
const space = 32
const newline = Buffer.from('\n')
const joinBelow = 16 * 1024
const backedUpBytes = 256 * 1024

/** `maxBytes` bounds what waits; one message of any size is taken while nothing waits. */
export function createOutbox(stream: Writable, maxBytes: number): Outbox {
  let parts: Uint8Array[] = []
  let waiting = 0
  let flushed = false

  function flush(): void {
    if (parts.length === 0) return
    const [lines, bytes] = [parts, waiting]
    parts = []
    waiting = 0
    if (stream.destroyed || stream.writableEnded) return
    if (bytes <= joinBelow) {
      stream.write(Buffer.concat(lines, bytes))
      return
    }
    stream.cork()
    for (const line of lines) stream.write(line)
    stream.uncork()
  }

  return {
    push(message) {
      const queued = waiting + stream.writableLength
      if (queued > 0 && queued + message.length >= maxBytes) return false
      parts.push(onOneLine(message), newline)
      waiting += message.length + 1
      // The first message of a turn leaves at once, for latency; the others of that turn leave together, for throughput.
      if (!flushed) {
        flushed = true
        flush()
        setImmediate(() => {
          flushed = false
          flush()
        })
      }
      return true
    },
    get backedUp() {
      return waiting + stream.writableLength > backedUpBytes
    },
  }
}

/**
 * Invariant: one message is one line. In strict JSON a raw CR or LF is white space between tokens, so a blank may stand for it;
 * left as it is, pretty-printed params could carry a whole line of their own: a message that no policy has seen.
 */
function onOneLine(message: Uint8Array): Uint8Array {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  if (bytes.indexOf(lf) === -1 && bytes.indexOf(cr) === -1) return bytes
  return Buffer.from(bytes).map(byte => (byte === lf || byte === cr ? space : byte))
}
