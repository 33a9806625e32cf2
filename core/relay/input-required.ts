// A stateless server answers with what it needs of the client: each of its requests is admitted like any other, and its state is sealed.
// Spec: 2026-07-28 basic/patterns/mrtr.
import type { LiveExchange } from '../exchange.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { asJson, Json } from '../mcp/json.ts'
import { clientCapabilityFor } from '../mcp/methods.ts'
import type { Answer, JsonObject } from '../plugin/index.ts'
import type { Lane } from '../upstream/lane.ts'
import type { Asked } from './asked.ts'
import type { RelayDeps } from './deps.ts'
import { MAX_HANDLE } from './handles.ts'
import { type AboutRound, sealRound } from './rounds-state.ts'
import { openAsk } from './to-client.ts'

/** So many requests in one answer. */
const MAX_REQUESTS = 100
/** What a server wants to have kept for it by the client. */
const MAX_STATE = 64 * 1024
/** Of 2025-11-25 alone. */
const URL_ELICITATION_REQUIRED = -32042
/** Of a round in which the gateway itself asks: no server knows of it. */
export const OWN_STATE = 'mcpgw:authorize'
const NEVER = new AbortController().signal
const EMPTY = Json.of({})

export async function showInputRequests(
  deps: RelayDeps,
  { session }: Asked,
  lane: Lane,
  x: LiveExchange,
  about: AboutRound,
  answer: Answer,
): Promise<Answer> {
  const server = lane.server.id
  const result = answer.payload as Json
  const requests = result.get('inputRequests')
  const state = result.get('requestState')
  const keys = requests?.keys() ?? []
  const isValid =
    (requests === undefined || (requests.type === 'object' && keys.length <= MAX_REQUESTS)) &&
    (state === undefined || (state.type === 'string' && state.bytes.length <= MAX_STATE)) &&
    (keys.length > 0 || state !== undefined)
  if (!isValid) return errorAnswer('upstream-garbage', { server })
  // The keys are the server's: `__proto__` is one like any other.
  const shown: Record<string, Json> = Object.create(null)
  const given: Record<string, string> = Object.create(null)
  let missing: JsonObject = {}
  let refused: Answer | undefined
  for (const key of keys) {
    const request = requests!.get(key)!
    const method = request.type === 'object' ? request.string('method') : undefined
    // Spec: one of the three requests that a client can be asked.
    if (method === undefined || clientCapabilityFor(method) === undefined) return errorAnswer('upstream-garbage', { server })
    const params = request.get('params')
    if (params !== undefined && params.type !== 'object') return errorAnswer('upstream-garbage', { server })
    const opened = await openAsk(deps, session, lane, { method, params, signal: NEVER }, { x })
    if (!('answer' in opened)) {
      opened.leave()
      shown[key] = opened.params === undefined ? request : request.with({ params: opened.params })
    } else if (opened.missing !== undefined) missing = { ...missing, ...opened.missing }
    else if (opened.answer.kind === 'result') given[key] = asJson(opened.answer.payload).text
    else refused = opened.answer
  }
  if (Object.keys(missing).length > 0) return errorAnswer('missing-capability', { server, data: { requiredCapabilities: missing } })
  const isNothingLeft = Object.keys(shown).length === 0 && Object.keys(given).length === 0
  if (refused !== undefined && isNothingLeft) return refused
  const sealed = sealRound(deps.handles, about, { kind: 'again', state: state?.value as string | undefined, given })
  if (sealed.length > MAX_HANDLE) return errorAnswer('upstream-garbage', { server, text: 'the state of this round is too long' })
  return {
    kind: 'result',
    payload: result.with({
      inputRequests: Object.keys(shown).length === 0 ? undefined : EMPTY.with(shown),
      requestState: Json.of(sealed),
    }),
  }
}

/**
 * An error of 2025-11-25 that says which urls a person must visit before the call is made again: to a stateless client these are
 * questions. Spec: 2025-11-25 client/elicitation, "URL Elicitation Required Error".
 */
export function urlsToVisit({ kind, code, payload }: Answer): Answer | undefined {
  if (kind !== 'error' || code !== undefined || (payload as Json).get('code')?.value !== URL_ELICITATION_REQUIRED) return undefined
  const urls = (payload as Json).get('data')?.get('elicitations')?.items(MAX_REQUESTS) ?? []
  if (urls.length === 0 || urls.some(url => url.type !== 'object')) return undefined
  const method = Json.of('elicitation/create')
  const requests = Object.fromEntries(
    urls.map((params, i) => [`${i + 1}`, EMPTY.with({ method, params: params.with({ mode: Json.of('url') }) })]),
  )
  return { kind: 'result', payload: Json.of({ resultType: 'input_required' }).with({ inputRequests: EMPTY.with(requests) }) }
}

/** What the server gets with the request that is made again: its own state, and what the client and plugins have answered. */
export function continued(sent: Json, state: string | undefined, given: JsonObject): Json {
  const texts = Object.entries(given).map(([key, text]) => [key, Buffer.from(text as string)] as const)
  const responses = sent.get('inputResponses')
  const own = responses?.type === 'object' ? responses : EMPTY
  return sent.with({
    requestState: state === undefined ? undefined : Json.of(state),
    inputResponses: texts.length === 0 ? responses : own.with(Object.fromEntries(texts)),
  })
}
