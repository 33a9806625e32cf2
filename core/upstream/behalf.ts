// For whom a request to a server is made, where the server is shown a credential of the caller's own.
import type { Voice } from '../credentials/voice.ts'

/** It is good while that request is served, and no longer. */
export interface Behalf {
  /** What may be done on its behalf: two of one principal that differ here share no token. */
  readonly rights: string
  /** The caller's own token, for the token endpoint alone; undefined once the request is over. */
  token(): string | undefined
  /** Who it is, for another gateway; undefined where nobody knows, and where none is told. */
  readonly voice?: Voice | undefined
  /** The trace that the request belongs to, as `traceparent`. */
  trace?(): string | undefined
}

/** Of a request whose caller showed no token: nobody else's is used for it. What the gateway sends of its own is on behalf of no request. */
export const NOTHING_SHOWN: Behalf = Object.freeze({ rights: '', token: () => undefined })
