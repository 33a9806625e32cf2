// Bodies of responses from remote servers: collected within bounds, and what an error body says.
import { type Gather, gather } from '../mcp/gather.ts'

/** Puts the chunks of one body together; `push` is false where it has become too large. */
export function collect(maxBytes: number): { push(chunk: Buffer): boolean; take(): Uint8Array } {
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
        all = gather()
        all.append(first)
      }
      all.append(chunk)
      return true
    },
    take: () => all?.take() ?? first ?? Buffer.alloc(0),
  }
}

/** An error response may bring a message of the protocol, or anything else. */
export function isMessage(body: Uint8Array): boolean {
  return asText(body).includes('"jsonrpc"')
}

/** Servers made with the SDK's examples say 400 where the specification has 404, as an error without an id. */
export function deniesSession(body: Uint8Array): boolean {
  const text = body.length < 2000 ? asText(body) : ''
  return /"id"\s*:\s*null/.test(text) && /session|not initialized/i.test(text)
}

function asText(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
}
