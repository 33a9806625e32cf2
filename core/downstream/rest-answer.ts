// What the plain HTTP interface answers: the result itself with a status of its own, or `{"error": {...}}`.
import type { ServerResponse } from 'node:http'
import { type ErrorCode, errors, isErrorCode } from '../errors.ts'
import { Json } from '../mcp/json.ts'
import type { JsonObject } from '../plugin/index.ts'
import { headersFor } from './answer-headers.ts'
import type { Reply } from './once.ts'
import type { ReplyHead } from './session.ts'

export interface RestAnswer {
  readonly status: number
  readonly body: Json
  readonly head: ReplyHead
}

/** What an operation refuses. */
const OF_OPERATIONS: Readonly<Record<string, number>> = { 'invalid-arguments': 400, 'not-found': 404, conflict: 409, unavailable: 503 }

/** An operation's own value, or why it refuses. */
export function bodyOfOperation(reply: Reply): RestAnswer {
  const answer = bodyOf(reply, result => (result.get('structuredContent') ?? result).with({ resultType: undefined }))
  if (answer.status !== 200 || reply.result?.get('isError')?.value !== true) return answer
  return { ...answer, status: OF_OPERATIONS[answer.body.get('error')?.string('code') ?? ''] ?? 500 }
}

export function bodyOf({ result, error, head }: Reply, show: (result: Json) => Json): RestAnswer {
  if (error !== undefined) return ofError(error, head)
  const refusal = result!.get('_meta')?.get('mcpgw/refusal')
  if (refusal !== undefined) {
    const code = refusal.string('code') ?? 'denied'
    const [first] = result!.get('content')?.items(1) ?? []
    const more = refusal.value as JsonObject
    const retryAfter = typeof more.retryAfter === 'number' ? more.retryAfter : undefined
    return refused(code, { ...more, message: first?.string('text') ?? '' }, { ...head, retryAfter })
  }
  return { status: 200, body: show(result!), head }
}

/** The error of a JSON-RPC answer: the gateway's own code where it made it, else `upstream-error` and the server's words. */
function ofError(error: Json, head: ReplyHead): RestAnswer {
  const ours = error.get('data')?.get('mcpgw')
  const message = error.string('message') ?? ''
  if (ours === undefined)
    return { status: 502, body: Json.of({ error: { code: 'upstream-error', rpc: error.get('code')!.value, message } }), head }
  return refused(ours.string('code') ?? 'internal', { ...(ours.value as JsonObject), message }, head)
}

function refused(code: string, details: JsonObject, head: ReplyHead): RestAnswer {
  return { status: statusOf(code), body: Json.of({ error: { ...details, code } }), head }
}

/** For what is refused before there is a request. */
export function writeRestError(_id: Json | null, error: Json): Uint8Array {
  return ofError(error, {}).body.bytes
}

/** A code that only a plugin knows is a denial. */
export function statusOf(code: string): number {
  const entry = errors[(isErrorCode(code) ? code : 'denied') satisfies ErrorCode]
  return entry.rest ?? entry.http
}

export function send(response: ServerResponse, { status, body, head }: RestAnswer): void {
  const { bytes } = body
  const headers = headersFor(response)
  headers['content-type'] = 'application/json'
  headers['content-length'] = bytes.length
  // Spec: RFC 9110, 15.5.2: a 401 has one.
  if (status === 401) headers['www-authenticate'] = head.challenge ?? 'Bearer realm="mcpgw"'
  else if (head.challenge !== undefined) headers['www-authenticate'] = head.challenge
  if (head.retryAfter !== undefined) headers['retry-after'] = Math.ceil(head.retryAfter)
  response.writeHead(status, headers)
  response.end(bytes)
}
