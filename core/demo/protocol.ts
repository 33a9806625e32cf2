// Shapes that the demo servers share with their loop.

/** A JSON object of which nothing is known yet. */
export type Fields = { readonly [key: string]: unknown }

export type Handler = (params: Fields, call: Call) => Fields | Promise<Fields>

/** What a handler can do besides answering. */
export interface Call {
  readonly signal: AbortSignal
  /** Whether the client declared `sampling`, `elicitation`, `roots`. */
  clientCan(capability: string): boolean
  notify(method: string, params: Fields): void
  /** Does nothing where the caller asked for no progress. */
  progress(progress: number, total: number, message: string): void
  /** Asks the client; rejects with its error, or when the call is cancelled. */
  request(method: string, params: Fields): Promise<Fields>
}

/** Becomes a JSON-RPC error. */
export class DemoError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
