// A stateless server asks by answering `input_required`: its questions become requests to the client, and its request is made again.
// Spec: 2026-07-28 basic/patterns/mrtr.
import { randomUUID } from 'node:crypto'
import { errorAnswer } from '../mcp/error-answer.ts'
import { asJson, Json } from '../mcp/json.ts'
import type { Answer, Clock } from '../plugin/index.ts'
import type { Ask, LaneCall } from './calls.ts'

/** A server that never has enough is cut here. */
const MAX_ROUNDS = 16
/** So many questions in one round. */
const MAX_QUESTIONS = 100
const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])
const EMPTY = Json.of({})

export function isInputRequired(answer: Answer): boolean {
  return answer.kind === 'result' && (answer.payload as Json).holds('resultType', 'input_required')
}

/** Only these may be answered so; from any other it is no answer. */
export function mayAsk(method: string): boolean {
  return MAY_ASK.has(method)
}

export interface Rounds {
  readonly server: string
  readonly clock: Clock
  /** For all rounds together, as they are one call; 0 = none. */
  readonly maxMs: number
  /** The call begins or ends to wait for its client. */
  rest(isResting: boolean): void
  /** Makes the request anew with what is added to its params. */
  again(more: Record<string, Json | undefined>): Promise<Answer>
}

/** The answer is one that a client with sessions understands. */
export async function askInRounds(first: Answer, call: LaneCall, rounds: Rounds): Promise<Answer> {
  const limit = new AbortController()
  const stop = rounds.maxMs > 0 ? rounds.clock.after(rounds.maxMs, () => limit.abort()) : () => {}
  const signal = call.cancel === undefined ? limit.signal : AbortSignal.any([call.cancel.signal, limit.signal])
  try {
    const answer = await answerRounds(first, call, rounds, signal)
    // A question that nobody answered in time ends as if it had been taken back.
    return limit.signal.aborted && answer.code === 'cancelled' && call.cancel?.cancelled !== true
      ? errorAnswer('upstream-timeout', { server: rounds.server })
      : answer
  } finally {
    stop()
  }
}

async function answerRounds(first: Answer, call: LaneCall, { server, again, rest }: Rounds, signal: AbortSignal): Promise<Answer> {
  let answer = first
  for (let round = 0; isInputRequired(answer); round++) {
    if (signal.aborted) return errorAnswer('cancelled', { server })
    if (call.asked === undefined) return errorAnswer('client-cannot', { server })
    if (round === MAX_ROUNDS) return errorAnswer('upstream-garbage', { server, text: `the server asked for input ${MAX_ROUNDS} times` })
    const { inputRequests, requestState } = readRound(answer)
    const keys = inputRequests?.keys() ?? []
    if (keys.length > MAX_QUESTIONS || (keys.length === 0 && requestState === undefined)) return errorAnswer('upstream-garbage', { server })
    rest(true)
    const replies = await Promise.all(keys.map(key => askOne(call, inputRequests!.get(key)!, server, signal))).finally(() => rest(false))
    const failed = replies.find(reply => reply.kind === 'error')
    if (failed !== undefined) return failed
    const inputResponses = inputRequests && EMPTY.with(Object.fromEntries(keys.map((key, i) => [key, asJson(replies[i]!.payload)])))
    answer = await again({ inputResponses, requestState })
  }
  return answer
}

function readRound({ payload }: Answer): { inputRequests: Json | undefined; requestState: Json | undefined } {
  const inputRequests = (payload as Json).get('inputRequests')
  const requestState = (payload as Json).get('requestState')
  return {
    inputRequests: inputRequests?.type === 'object' ? inputRequests : undefined,
    requestState: requestState?.type === 'string' ? requestState : undefined,
  }
}

async function askOne(call: LaneCall, request: Json, server: string, signal: AbortSignal): Promise<Answer> {
  const method = request.type === 'object' ? request.string('method') : undefined
  const params = request.get('params')
  if (method === undefined || (params !== undefined && params.type !== 'object')) return errorAnswer('upstream-garbage', { server })
  const ask: Ask = { method, params: withElicitationId(method, params), signal, progress() {} }
  return call.asked!(ask)
}

/** Spec: 2025-11-25 client/elicitation: a url elicitation has an id; 2026-07-28 has none. */
function withElicitationId(method: string, params: Json | undefined): Json | undefined {
  const isUrl = method === 'elicitation/create' && params?.string('mode') === 'url' && params.get('elicitationId') === undefined
  return isUrl ? params.with({ elicitationId: Json.of(randomUUID()) }) : params
}
