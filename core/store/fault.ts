// What can be wrong with a store: expected failures of opening, each with a code that callers may branch on.

export type StoreFaultCode = 'store-missing' | 'store-unreadable' | 'store-newer' | 'store-older' | 'store-unfit' | 'store-no-driver'

/** A store that cannot be used says so with a code, and so does a database that refuses. */
export function isStoreAnswer(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string'
}

/** Thrown by `open`, `writer` and `migrate`. `message` names the file or the database, and what to do. */
export class StoreFault extends Error {
  readonly code: StoreFaultCode
  constructor(code: StoreFaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreFault'
    this.code = code
  }
}
