// For whom a request to a server is made, where the server is shown a credential of the caller's own.

/** It is good while that request is served, and no longer. */
export interface Behalf {
  /** What may be done on its behalf: two of one principal that differ here share no token. */
  readonly rights: string
  /** The caller's own token, for the token endpoint alone; undefined once the request is over. */
  token(): string | undefined
}
