// What a hook may answer. The kernel owns control flow: a hook returns one of these, and anything else is a refusal.
import type { Obligation, Principal } from './exchange.ts'
import type { JsonObject, JsonValue } from './json.ts'

export type Pass = { readonly kind: 'pass' }
export type Identify = {
  readonly kind: 'identify'
  readonly principal: Principal
}
export type Allow = {
  readonly kind: 'allow'
  readonly rules: readonly string[]
  readonly obligations: readonly Obligation[]
}
/** `code` is in the error table (`mcpgw explain CODE`), `reason` is public; `detail` goes to log and record only. */
export type Deny = {
  readonly kind: 'deny'
  readonly code: string
  readonly reason: string
  readonly rules?: readonly string[]
  readonly detail?: string
  /** Seconds after which a retry may succeed. */
  readonly retryAfter?: number
  /** What a client must bring, as the value of `WWW-Authenticate`: counts over HTTP, where the code is a 401 or a 403. One line of ASCII. */
  readonly challenge?: string
}
/** New params (onRequest), notification params (onNotification), or result/error object (onResponse). */
export type Rewrite = { readonly kind: 'rewrite'; readonly value: JsonValue }
/**
 * Answers in the server's place. `value` is a JSON-RPC result, or its bytes, which are scanned as those of a server are.
 * In onRequest the server is not called; in onResponse it stands in place of an error by which the gateway says that it could not reach the server.
 */
export type AnswerVerdict = {
  readonly kind: 'answer'
  readonly value: JsonValue | Uint8Array
  /** It is an error object, `{code, message, data?}`. */
  readonly isError?: boolean
  /** Members that replace those of `value`, or are added to it. */
  readonly members?: JsonObject
}
/** Takes a notification out. */
export type Drop = { readonly kind: 'drop' }
/** Which items of a list stay: `keep[i]` belongs to item i. */
export type Narrow = {
  readonly kind: 'narrow'
  readonly keep: readonly boolean[]
}

export type ConnectionVerdict = Pass | Deny
export type RequestVerdict = Pass | Identify | Allow | Deny | Rewrite | AnswerVerdict
export type SealedVerdict = Pass | Deny
export type ListVerdict = Pass | Narrow
export type NotificationVerdict = Pass | Rewrite | Drop
export type ResponseVerdict = Pass | Rewrite | Deny | AnswerVerdict
export type DischargeVerdict = Pass | Rewrite | Deny

export const pass: Pass = Object.freeze({ kind: 'pass' })
export const drop: Drop = Object.freeze({ kind: 'drop' })
export function identify(principal: Principal): Identify {
  return { kind: 'identify', principal }
}
export function allow(rules: readonly string[] = [], obligations: readonly Obligation[] = []): Allow {
  return { kind: 'allow', rules, obligations }
}
export function deny(
  code: string,
  reason: string,
  more: {
    rules?: readonly string[]
    detail?: string
    retryAfter?: number
    challenge?: string
  } = {},
): Deny {
  return { kind: 'deny', code, reason, ...more }
}
export function rewrite(value: JsonValue): Rewrite {
  return { kind: 'rewrite', value }
}
export function answer(value: JsonValue | Uint8Array, more: { isError?: boolean; members?: JsonObject } = {}): AnswerVerdict {
  return { kind: 'answer', value, ...more }
}
export function narrow(keep: readonly boolean[]): Narrow {
  return { kind: 'narrow', keep }
}
