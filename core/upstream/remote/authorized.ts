// Puts the credential into each request to a remote server, and makes a request that was refused for it once more, with a new one.
import type { Dispatcher } from 'undici'
import type { Behalf } from '../behalf.ts'
import { type Credential, CredentialFault, type CredentialSource } from './credential.ts'

/** What transports need of undici. */
export interface Sender {
  dispatch(options: Dispatcher.DispatchOptions & { readonly behalf?: Behalf | undefined }, handler: Dispatcher.DispatchHandler): boolean
}

/** Longer than any refusal that says something. */
const MAX_BODY = 16 * 1024
const BODY_MS = 2000
const ENOUGH = new Error('not needed any more')

/** Invariant: `pool` is of the configured origin and follows no redirect, so that the credential goes nowhere else. */
export function createAuthorized(pool: Sender, source: CredentialSource): Sender {
  return {
    dispatch({ behalf, ...options }, handler) {
      const credential = source.of(behalf)
      const token = credential.now()
      if (token !== undefined) return new Attempt(pool, credential, options, handler).send(token)
      credential.obtain().then(
        obtained => {
          if (obtained === undefined) handler.onResponseError?.(NO_CONTROLLER, noCredential())
          else new Attempt(pool, credential, options, handler).send(obtained)
        },
        error => handler.onResponseError?.(NO_CONTROLLER, error as Error),
      )
      return true
    },
  }
}

/**
 * Spec: RFC 9110, 15.5.2: 401 says that the request has not been applied, so that no call is made twice; and 11.6.1: it may be repeated
 * with another credential. An error in the answer to a request says no such thing, whatever its code.
 */
class Attempt implements Dispatcher.DispatchHandler {
  readonly #pool: Sender
  readonly #credential: Credential
  readonly #options: Dispatcher.DispatchOptions
  readonly #handler: Dispatcher.DispatchHandler
  #token = ''
  #isRepeat = false
  #refusal: Refusal | undefined

  constructor(pool: Sender, credential: Credential, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
    this.#pool = pool
    this.#credential = credential
    this.#options = options
    this.#handler = handler
  }

  send(token: string): boolean {
    this.#token = token
    const headers = { ...(this.#options.headers as Record<string, string>), authorization: `Bearer ${token}` }
    return this.#pool.dispatch({ ...this.#options, headers }, this)
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
    if (status !== 401 || this.#isRepeat) return this.#handler.onResponseStart?.(controller, status, headers, message)
    const timer = setTimeout(() => controller.abort(ENOUGH), BODY_MS)
    timer.unref()
    this.#refusal = { headers, parts: [], size: 0, timer }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const refusal = this.#refusal
    if (refusal === undefined) return this.#handler.onResponseData?.(controller, chunk)
    refusal.size += chunk.length
    if (refusal.size > MAX_BODY) controller.abort(ENOUGH)
    else refusal.parts.push(chunk)
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: Record<string, string | string[] | undefined>): void {
    if (this.#refusal === undefined) this.#handler.onResponseEnd?.(controller, trailers)
    else this.#repeat(controller, this.#refusal)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#refusal === undefined || (controller.aborted && error !== ENOUGH)) return this.#handler.onResponseError?.(controller, error)
    // It was refused, whatever became of the rest of the response.
    this.#repeat(controller, this.#refusal)
  }

  #repeat(controller: Dispatcher.DispatchController, refusal: Refusal): void {
    clearTimeout(refusal.timer)
    this.#refusal = undefined
    this.#isRepeat = true
    this.#credential.obtain(this.#token).then(
      other => (other === undefined ? this.#giveUp(controller, refusal) : this.send(other)),
      error => this.#handler.onResponseError?.(controller, error as Error),
    )
  }

  #giveUp(controller: Dispatcher.DispatchController, { headers, parts }: Refusal): void {
    this.#handler.onResponseStart?.(controller, 401, headers)
    for (const part of parts) this.#handler.onResponseData?.(controller, part)
    this.#handler.onResponseEnd?.(controller, {})
  }
}

interface Refusal {
  readonly headers: Record<string, string | string[] | undefined>
  readonly parts: Buffer[]
  size: number
  readonly timer: NodeJS.Timeout
}

/** For what was never sent: there is nothing to end. */
export const NO_CONTROLLER: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  abort() {},
  pause() {},
  resume() {},
}

function noCredential(): CredentialFault {
  return new CredentialFault({ code: 'upstream-unavailable', detail: 'there is no credential for it' })
}
