// Reads the bodies of requests: each within the limit of a message, and all that are under way within one budget.
import type { IncomingMessage } from 'node:http'
import { type Gather, gather } from '../mcp/gather.ts'

/** Reads one body; `done` is called once, and never where the client goes away first. */
export type BodyReader = (request: IncomingMessage, done: (body: Uint8Array | 'too-large' | 'rate-limited') => void) => void

/** What every body may hold outside of the budget, so that slow senders of long bodies shut out nobody with a short one. */
const FREE_BYTES = 64 * 1024

/** `budget`: bytes that unfinished bodies may hold together. Nobody has proven who he is before his body is read. */
export function createBodyReader(maxBytes: number, budget: number): BodyReader {
  let held = 0

  return (request, done) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return done('too-large')
    let first: Buffer | undefined
    let all: Gather | undefined
    let size = 0
    let counted = 0
    const release = () => {
      held -= counted
      counted = 0
    }
    const refuse = (why: 'too-large' | 'rate-limited') => {
      release()
      all = undefined
      request.removeAllListeners('data')
      request.removeAllListeners('end')
      request.resume()
      done(why)
    }
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) return refuse('too-large')
      if (size > FREE_BYTES) {
        if (counted === 0) request.once('close', release)
        held += size - FREE_BYTES - counted
        counted = size - FREE_BYTES
        if (held > budget) return refuse('rate-limited')
      }
      if (first === undefined) {
        first = chunk
        return
      }
      // Not kept chunk by chunk: a sender may make them of one byte each.
      if (all === undefined) {
        all = gather()
        all.append(first)
      }
      all.append(chunk)
    })
    request.on('end', () => {
      release()
      done(all?.take() ?? first ?? Buffer.alloc(0))
    })
  }
}
