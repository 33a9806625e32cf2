// Why a request to a remote server failed on its way, as the connection tells it.
import type { TransportFault } from '../transport.ts'
import { CredentialFault } from './credential.ts'

export function connectionFault(error: unknown): TransportFault {
  if (error instanceof CredentialFault) return error.fault
  const undelivered = wasNeverSent(error)
  return { code: undelivered ? 'upstream-unavailable' : 'upstream-crashed', detail: reasonOf(error), undelivered }
}

export function statusFault(status: number, what: string): TransportFault {
  const isRefused = status >= 500 || status === 429 || status === 401 || status === 403
  return { code: isRefused ? 'upstream-unavailable' : 'upstream-garbage', detail: `HTTP ${status} ${what}`, status }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : 'unknown'
}

/** Errors after which it is certain that the server saw nothing. */
function wasNeverSent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT'
}
