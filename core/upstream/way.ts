// The way of one request to a server: through its gate, then by the lane; by the lane once more where the server saw nothing of it.
import { isPromise } from '../awaitable.ts'
import type { ServerConfig } from '../config/schema.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import type { Json } from '../mcp/json.ts'
import type { Answer } from '../plugin/index.ts'
import { isCounted, type LaneCall, UNWELL } from './calls.ts'
import type { Gate } from './gate.ts'
import type { Held } from './queue.ts'
import type { TransportFault } from './transport.ts'

export interface Way extends Held {
  readonly server: Pick<ServerConfig, 'id' | 'kind'>
  /** Connections that were lost so far, and openings that failed. */
  readonly losses: number
  readonly isClosed: boolean
  attempt(method: string, params: Json | undefined, call: LaneCall): Promise<Answer>
}

/** Stands for the code of an answer where it is certain that the server saw nothing. */
const UNDELIVERED = 'undelivered'

export async function goThrough(gate: Gate, way: Way, method: string, params: Json | undefined, call: LaneCall): Promise<Answer> {
  if (gate.isShut) return errorAnswer('killed', { server: way.server.id })
  const asked = gate.mono()
  const entry = isCounted(method) ? gate.enter(way, call, params?.bytes.length ?? 0) : undefined
  const place = isPromise(entry) ? await entry : entry
  if (typeof place === 'object') return place
  const began = isPromise(entry) ? gate.mono() : asked
  const { losses } = way
  let answer: Answer | undefined
  try {
    answer = await way.attempt(method, params, call)
    if (answer.code === UNDELIVERED) answer = await again(way, method, params, call)
    return answer.code === UNWELL ? { kind: answer.kind, payload: answer.payload } : answer
  } finally {
    const now = gate.mono()
    if (call.timed !== undefined) call.timed.serverMs += now - asked
    // What befell the connection is no fault of the call: of a process its supervisor keeps account, and what we close is closed.
    const isOurs = way.isClosed || (way.server.kind === 'child' && way.losses !== losses)
    if (place !== undefined) gate.leave(place, isOurs && answer?.code !== undefined ? undefined : answer, now - began)
  }
}

/** Spec: basic/transports, "Session Management": after 404 a client starts a new session; the server saw nothing of the call. */
async function again(way: Way, method: string, params: Json | undefined, call: LaneCall): Promise<Answer> {
  const answer = await way.attempt(method, params, call)
  return answer.code === UNDELIVERED ? errorAnswer('upstream-unavailable', { server: way.server.id }) : answer
}

export function faultAnswer(server: string, { code, retryAfterMs, undelivered }: TransportFault): Answer {
  const answer = errorAnswer(code, { server, ...(retryAfterMs !== undefined && { retryAfter: Math.ceil(retryAfterMs / 1000) }) })
  return undelivered ? { ...answer, code: UNDELIVERED } : answer
}
