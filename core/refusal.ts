// A refusal as the kernel hands it on: what the caller may know, and what only log and record may.
import { type ErrorCode, errors } from './errors.ts'
import { errorObject } from './mcp/error-answer.ts'
import type { Json } from './mcp/json.ts'
import type { Decision, JsonObject } from './plugin/index.ts'

export interface Refusal {
  /** A code of the error table, or one that a plugin brings. */
  readonly code: string
  /** Public text. */
  readonly reason: string
  /** Plugins and rules, for log and record; never shown to the caller. */
  readonly by: readonly string[]
  /** Seconds after which a retry may succeed. */
  readonly retryAfter?: number
  /** Value of `WWW-Authenticate`. */
  readonly challenge?: string
  /** Members of the error's `data` that the specification names. */
  readonly data?: JsonObject
  /** It is the caller that is refused, whatever he asks for: the answer has the status of the code. */
  readonly ofCaller?: boolean
}

/** A refusal by the kernel itself, in the words of the error table. */
export function refuse(code: ErrorCode, by: readonly string[]): Refusal {
  return { code, reason: errors[code].text, by }
}

export function denial(refusal: Refusal): Decision {
  return Object.freeze({
    outcome: 'deny',
    by: Object.freeze([...refusal.by]),
    obligations: NONE,
    code: refusal.code,
    reason: refusal.reason,
  })
}
const NONE: readonly never[] = Object.freeze([])

/** The JSON-RPC error object of a refusal; `callId` is the id of the exchange, where it is told. */
export function refusalError(refusal: Pick<Refusal, 'code' | 'reason' | 'retryAfter' | 'data'>, callId: string | undefined): Json {
  const { code, reason, retryAfter, data } = refusal
  return errorObject(code, {
    text: reason,
    ...(callId !== undefined && { callId }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(data && { data }),
  })
}
