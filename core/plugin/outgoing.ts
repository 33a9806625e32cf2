// Requests of the gateway itself to the outside: key sets, metadata, tokens. One guarded way for all of them.

export interface Outgoing {
  /**
   * One request; a redirect is an answer like any other and is never followed. Rejects, in words without secrets, where no answer came
   * within `timeout`, it was longer than `maxBytes`, or where the url may not be asked.
   */
  request(url: string, options: OutgoingRequest): Promise<OutgoingAnswer>
}

export interface OutgoingRequest {
  /**
   * Who named the origin. `configured`: the operator, so that its addresses are his choice. `discovered`: a document, a token, a server:
   * https only, and public addresses only, looked up once.
   */
  readonly origin: 'configured' | 'discovered'
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Milliseconds for everything, to the last byte of the answer. */
  readonly timeout: number
  /** Of the body of the answer. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

export interface OutgoingAnswer {
  readonly status: number
  /** `name` in lower case; undefined where it is absent or stands more than once. */
  header(name: string): string | undefined
  readonly body: Uint8Array
}
