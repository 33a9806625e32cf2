// Cancellation of one request: an AbortController only for those who ask for its signal, since one a call is a large part of its cost.

export class Cancel {
  /** Set once: why it was cancelled. */
  reason: string | undefined
  /** Whose doing it was; to be read once it is cancelled. */
  by: 'client' | 'credential' = 'client'
  #listener: (() => void) | undefined
  #controller: AbortController | undefined

  get cancelled(): boolean {
    return this.reason !== undefined
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.reason !== undefined) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }

  cancel(reason: string, by: 'client' | 'credential' = 'client'): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.by = by
    this.#controller?.abort(reason)
    this.#listener?.()
  }

  /** One listener at a time: whoever works on the request now; `undefined` when it no longer does. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener
  }
}
