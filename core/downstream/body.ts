// Reads the bodies of requests: each within the limit of a message, and all that are under way within one budget.
import type { IncomingMessage } from 'node:http'
import { collect } from '../mcp/gather.ts'
import type { HttpPeer } from './http-peer.ts'

/** Reads one body; `done` is called once, and never where the client goes away first. */
export type BodyReader = (
  request: IncomingMessage,
  peer: Pick<HttpPeer, 'took'>,
  done: (body: Uint8Array | 'too-large' | 'rate-limited') => void,
) => void

/** What every body may hold outside of the budget, so that slow senders of long bodies shut out nobody with a short one. */
const FREE_BYTES = 64 * 1024
/** Of a body that was refused so much is still read. */
const MAX_DRAINED = 32 * 1024 * 1024

/** `budget`: bytes that unfinished bodies may hold together. Nobody has proven who he is before his body is read. */
export function createBodyReader(maxBytes: number, budget: number): BodyReader {
  let held = 0

  return (request, peer, done) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      drain(request)
      return done('too-large')
    }
    let body = collect(maxBytes)
    let size = 0
    let counted = 0
    const release = () => {
      held -= counted
      counted = 0
    }
    const refuse = (why: 'too-large' | 'rate-limited') => {
      release()
      body = collect(0)
      request.removeAllListeners('data')
      request.removeAllListeners('end')
      drain(request)
      done(why)
    }
    request.on('data', (chunk: Buffer) => {
      if (!body.push(chunk)) return refuse('too-large')
      size += chunk.length
      if (size <= FREE_BYTES) return
      if (counted === 0) request.once('close', release)
      held += size - FREE_BYTES - counted
      counted = size - FREE_BYTES
      if (held > budget) refuse('rate-limited')
    })
    request.on('end', () => {
      release()
      const bytes = body.take()
      peer.took(bytes)
      done(bytes)
    })
  }
}

/** The rest is read, so that the client sees the answer; who goes on for ever is cut. */
function drain(request: IncomingMessage): void {
  let rest = 0
  request.on('data', (chunk: Buffer) => {
    rest += chunk.length
    if (rest > MAX_DRAINED) request.destroy()
  })
}
