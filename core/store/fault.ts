// What can be wrong with a store: expected failures of opening, each with a code that callers may branch on.

export type StoreFaultCode = 'store-missing' | 'store-unreadable' | 'store-newer' | 'store-older' | 'store-unfit' | 'store-no-driver'

/** Thrown by `open`, `writer` and `migrate`. `message` names the file or the database, and what to do. */
export class StoreFault extends Error {
  readonly code: StoreFaultCode
  constructor(code: StoreFaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreFault'
    this.code = code
  }
}
