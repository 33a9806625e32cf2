// Signs each request to another gateway, just as it is sent, and hears whether that one takes the signature.
import type { Dispatcher } from 'undici'
import { CALLER } from '../../mcp/caller.ts'
import { NO_CONTROLLER, type Sender } from './authorized.ts'
import type { RequestSigner } from './credential.ts'
import { single } from './http-headers.ts'

/** Invariant: nothing is signed twice alike, so a request goes out once, whatever becomes of it. */
export function createSigned(pool: Sender, signer: RequestSigner): Sender {
  return {
    dispatch({ behalf, ...options }, handler) {
      const { method, path, headers, body } = options
      const sent = headers as Record<string, string>
      let signed: string
      try {
        signed = signer.sign({ method, path, headers: sent, body: bytesOf(body) }, behalf)
      } catch (error) {
        queueMicrotask(() => handler.onResponseError?.(NO_CONTROLLER, error as Error))
        return true
      }
      return pool.dispatch({ ...options, headers: { ...sent, [CALLER.header]: signed } }, new Heard(signer, handler, isOpening(sent)))
    },
  }
}

/** Of both eras. */
function isOpening(headers: Readonly<Record<string, string>>): boolean {
  const method = headers['mcp-method']
  return method === undefined ? headers['mcp-session-id'] === undefined : method === 'server/discover'
}

function bytesOf(body: Dispatcher.DispatchOptions['body']): Uint8Array | string {
  if (body === undefined || body === null) return ''
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  throw new Error('bug: a body that is not at hand cannot be signed')
}

/** Whoever is refused learns why in our words, and nothing of what else the other gateway says. */
class Heard implements Dispatcher.DispatchHandler {
  readonly #signer: RequestSigner
  readonly #handler: Dispatcher.DispatchHandler
  readonly #isOpening: boolean
  #isOver = false

  constructor(signer: RequestSigner, handler: Dispatcher.DispatchHandler, isOpening: boolean) {
    this.#isOpening = isOpening
    this.#signer = signer
    this.#handler = handler
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    message?: string,
  ): void {
    const fault = this.#signer.heard(status, single(headers['www-authenticate']), this.#isOpening)
    if (fault === undefined) return this.#handler.onResponseStart?.(controller, status, headers, message)
    controller.abort(fault)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: Record<string, string | string[] | undefined>): void {
    this.#end(() => this.#handler.onResponseEnd?.(controller, trailers))
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(() => this.#handler.onResponseError?.(controller, error))
  }

  #end(tell: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    tell()
  }
}
