// The last touch on what a stateless client is answered: the kind of result, how long it may be kept, error numbers of its revision.
// Spec: 2026-07-28 basic/index, "Result" and "Error Codes"; server/utilities/caching.
import { asJson, Json } from '../mcp/json.ts'
import { listOf } from '../mcp/methods.ts'
import { MODERN_ERRORS } from '../mcp/modern.ts'
import type { Answer } from '../plugin/index.ts'
import { mayAsk } from '../upstream/rounds.ts'
import type { Finished } from './run.ts'

const COMPLETE = Json.of('complete')
const NO_TIME = Json.of(0)
const PRIVATE = Json.of('private')
/** Longer than a day nobody may rely on an answer that he got through here. */
const MAX_TTL_MS = 86_400_000
const METHOD_NOT_FOUND = -32601
const INVALID_PARAMS = -32602
/** Of older revisions: what a stateless client knows under another number. */
const RESOURCE_NOT_FOUND = -32002
const URL_ELICITATION_REQUIRED = -32042
const BAD_REQUESTS: ReadonlySet<unknown> = new Set(Object.values(MODERN_ERRORS))

/** Lists that went out whole are the same bytes for all who see the same catalog: completed once. */
const completedLists = new WeakMap<Json, Json>()

export interface Completing {
  readonly method: string
  readonly params: Json
  /** Nobody is decided upon and nothing is left out for anybody: what a server calls public is public. */
  readonly isOpen: boolean
  /** Of rounds: sealed, so that a plugin that changed it has only spoilt it. */
  readonly state: Json | undefined
}

export function complete(about: Completing, answer: Answer): Finished {
  const payload = asJson(answer.payload)
  if (answer.kind === 'error') return completeError(answer, payload)
  const known = completedLists.get(payload)
  const result = known ?? completeResult(about, payload)
  if (known === undefined && listOf(about.method) !== undefined) completedLists.set(payload, result)
  return { answer: { ...answer, payload: result }, status: undefined }
}

function completeResult({ method, params, isOpen, state }: Completing, result: Json): Json {
  const type = result.get('resultType')
  const kind = type === undefined ? 'complete' : result.string('resultType')
  if (kind === 'input_required' && state !== undefined) return result.with({ requestState: state })
  if (kind !== 'complete' || !isCacheable(method)) return type === undefined ? result.with({ resultType: COMPLETE }) : result
  const isRetry = mayAsk(method) && (params.get('requestState') !== undefined || params.get('inputResponses') !== undefined)
  const ttl = isRetry ? NO_TIME : ttlOf(result)
  const isPublic = isOpen && !isRetry && result.holds('cacheScope', 'public')
  return result.with({ resultType: COMPLETE, ttlMs: ttl, cacheScope: isPublic ? result.get('cacheScope') : PRIVATE })
}

function isCacheable(method: string): boolean {
  return method === 'resources/read' || method === 'server/discover' || listOf(method) !== undefined
}

/** The server's own, where it is one. */
function ttlOf(result: Json): Json {
  const ttl = result.get('ttlMs')
  if (ttl?.type !== 'number' || !Number.isSafeInteger(ttl.value) || (ttl.value as number) < 0) return NO_TIME
  return (ttl.value as number) > MAX_TTL_MS ? Json.of(MAX_TTL_MS) : ttl
}

function completeError(answer: Answer, error: Json): Finished {
  const code = error.get('code')?.value
  if (code === RESOURCE_NOT_FOUND || code === URL_ELICITATION_REQUIRED)
    return { answer: { ...answer, payload: error.with({ code: Json.of(INVALID_PARAMS) }) }, status: undefined }
  return { answer, status: code === METHOD_NOT_FOUND ? 404 : BAD_REQUESTS.has(code) ? 400 : undefined }
}
