// Takes a new value from a plugin: checked for its form, for what it may not touch, and for the capability it needs.
import type { ExchangeState } from '../exchange.ts'
import { Json } from '../mcp/json.ts'
import type { Answer, AnswerVerdict, JsonObject, JsonValue, Payload } from '../plugin/index.ts'
import { masksOnly, sameJson } from './masking.ts'
import type { LoadedPlugin } from './stack.ts'

/** Members of params by which a message was routed and decided; no plugin changes them. */
const ROUTING = ['name', 'uri', 'ref', 'taskId']

/** Params before the decision, or what is sent after it. The text says why it is refused. */
export function rewriteParams(state: ExchangeState, plugin: LoadedPlugin, value: JsonValue): string | undefined {
  const next = toObject(value)
  if (next === undefined) return 'params that are no JSON object'
  const moved = ROUTING.find(member => !sameJson(state.params.get(member)?.value, next.get(member)?.value))
  if (moved !== undefined) return `changes params.${moved}, by which the request was routed`
  if (state.phase !== 'decided' && plugin.capabilities.has('rewrites-request')) {
    // Invariant: what is sent derives from the decided params.
    if (state.sent !== state.params) return 'a rewrite after a masker has derived what is sent'
    state.params = next
    state.sent = next
    return undefined
  }
  if (!plugin.capabilities.has('masks'))
    return state.phase === 'decided' ? 'a rewrite after the decision without "masks"' : 'a rewrite without "rewrites-request"'
  if (!masksOnly(state.sent.value, next.value)) return 'more than masking in what is sent'
  state.sent = next
  return undefined
}

/** A result, an error object or notification params. */
export function rewriteAnswer(before: Payload, plugin: LoadedPlugin, value: JsonValue): Json | string {
  const next = toObject(value)
  if (next === undefined) return 'a value that is no JSON object'
  if (plugin.capabilities.has('rewrites-response')) return next
  if (!plugin.capabilities.has('masks')) return 'a rewrite without "masks" or "rewrites-response"'
  return masksOnly(before.value, next.value) ? next : 'more than masking in an answer'
}

/** Undefined where it is no result, or no error object. */
export function toAnswer({ value, isError, members }: AnswerVerdict): Answer | undefined {
  const given = toObject(value)
  const payload = given === undefined || members === undefined ? given : withMembers(given, members)
  if (payload === undefined || (isError === true && !isErrorObject(payload))) return undefined
  return Object.freeze({ kind: isError === true ? 'error' : 'result', payload })
}

function withMembers(payload: Json, members: JsonObject): Json | undefined {
  try {
    return payload.with(Object.fromEntries(Object.entries(members).map(([name, value]) => [name, Json.of(value)])))
  } catch {
    return undefined
  }
}

export function isErrorObject(payload: Json): boolean {
  return Number.isSafeInteger(payload.get('code')?.value) && payload.string('message') !== undefined
}

/** Undefined where the value is no JSON object, or not JSON at all. */
export function toObject(value: JsonValue | Uint8Array): Json | undefined {
  try {
    const json = value instanceof Uint8Array ? Json.scan(value) : Json.of(value)
    return json instanceof Json && json.type === 'object' ? json : undefined
  } catch {
    return undefined
  }
}
