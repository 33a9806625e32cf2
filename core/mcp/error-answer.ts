// Errors that the gateway makes itself, as JSON-RPC error objects.
import { type ErrorCode, errors, isErrorCode } from '../errors.ts'
import type { Answer, JsonObject, JsonValue } from '../plugin/index.ts'
import { Json } from './json.ts'

export interface ErrorDetails {
  readonly text?: string
  readonly callId?: string
  readonly retryAfter?: number
  readonly server?: string
  /** Members of `data` that the specification names, beside ours. */
  readonly data?: JsonObject
}

/** `{code, message, data: {mcpgw: {code, ...}}}`; a code that only a plugin knows is answered as `denied`. */
export function errorObject(code: string, details: ErrorDetails = {}): Json {
  const entry = errors[isErrorCode(code) ? code : 'denied']
  const mcpgw: Record<string, JsonValue> = { code }
  if (details.callId !== undefined) mcpgw.callId = details.callId
  if (details.server !== undefined) mcpgw.server = details.server
  if (details.retryAfter !== undefined) mcpgw.retryAfter = details.retryAfter
  return Json.of({ code: entry.rpc, message: details.text ?? entry.text, data: { ...details.data, mcpgw } })
}

export function errorAnswer(code: ErrorCode, details: ErrorDetails = {}): Answer {
  return { kind: 'error', payload: errorObject(code, details), code }
}
