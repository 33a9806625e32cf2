// Requests that a server makes of the client over one lane: each is answered once, and ends when the server cancels it.
import { errorObject } from '../mcp/error-answer.ts'
import { asJson, Json } from '../mcp/json.ts'
import { writeErrorObject, writeResult } from '../mcp/message.ts'
import type { Answer } from '../plugin/index.ts'
import type { Ask, Pending } from './calls.ts'

/** So many wait for the client at once; a server that asks more is refused. */
const MAX_OPEN = 100
const EMPTY = Json.of({})

export class Asks {
  readonly #open = new Map<string, AbortController>()

  /** Resolves when the answer has been written, or when there is no one left to write it to. */
  async take(
    request: { readonly id: Json; readonly method: string; readonly params: Json | undefined },
    pending: Pending | undefined,
    handle: (ask: Ask) => Promise<Answer>,
    write: (bytes: Uint8Array) => void,
    progress: (params: Json) => void,
  ): Promise<void> {
    const { id, method, params } = request
    if (method === 'ping') return write(writeResult(id, EMPTY))
    const key = keyOf(id)
    if (this.#open.has(key)) return write(writeErrorObject(id, errorObject('invalid-request', { text: 'this id is in use' })))
    if (this.#open.size >= MAX_OPEN) return write(writeErrorObject(id, errorObject('rate-limited')))
    const abort = new AbortController()
    this.#open.set(key, abort)
    pending?.touch(1)
    try {
      const ask: Ask = { method, params, signal: abort.signal, progress }
      const answer = await (pending?.call.asked?.(ask) ?? handle(ask))
      if (abort.signal.aborted) return
      const payload = asJson(answer.payload)
      write(answer.kind === 'result' ? writeResult(id, payload) : writeErrorObject(id, payload))
    } finally {
      this.#open.delete(key)
      pending?.touch(-1)
    }
  }

  cancel(id: Json | undefined): void {
    if (id !== undefined) this.#open.get(keyOf(id))?.abort()
  }

  cancelAll(): void {
    for (const ask of this.#open.values()) ask.abort()
  }
}

/** A string id and a number id are different even where they print alike. Spec: JSON-RPC 2.0, 4. */
export function keyOf(id: Json): string {
  return id.type === 'string' ? `s${id.value as string}` : `n${id.text}`
}
