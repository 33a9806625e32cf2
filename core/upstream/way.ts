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
  readonly server: ServerConfig
  /** Connections that were lost so far, and openings that failed. */
  readonly losses: number
  readonly isClosed: boolean
  attempt(method: string, params: Json | undefined, call: LaneCall): Promise<Answer>
}

const UNDELIVERED = 'undelivered'

/** It is certain that the server saw nothing of the request. `instead`: what its caller learns where nothing else is tried. */
export interface Undelivered extends Answer {
  readonly code: typeof UNDELIVERED
  readonly instead: Answer
}

export function isUndelivered(answer: Answer): answer is Undelivered {
  return answer.code === UNDELIVERED
}

export function undelivered(instead: Answer): Undelivered {
  return { ...instead, code: UNDELIVERED, instead }
}

/** `elsewhere`: another instance can be tried, so that the answer says where nothing was delivered. */
export async function goThrough(
  gate: Gate,
  way: Way,
  method: string,
  params: Json | undefined,
  call: LaneCall,
  elsewhere = false,
): Promise<Answer> {
  if (gate.isShut) return errorAnswer('killed', { server: way.server.id })
  const asked = gate.mono()
  const entry = isCounted(method) ? gate.enter(way, call, params?.bytes.length ?? 0) : undefined
  const place = isPromise(entry) ? await entry : entry
  if (typeof place === 'object') return elsewhere && place.code !== 'cancelled' ? undelivered(place) : place
  const began = isPromise(entry) ? gate.mono() : asked
  const { losses } = way
  if (call.timed !== undefined) call.timed.instance = way.server.instance
  const span = call.timed?.span?.toServer(way.server, method, params)
  const sent = span === undefined ? params : span.params
  let answer: Answer | undefined
  try {
    answer = await way.attempt(method, sent, call)
    if (isUndelivered(answer)) {
      // Spec: basic/transports, "Session Management": after 404 a client starts a new session; the server saw nothing of the call.
      const second = await way.attempt(method, sent, call)
      answer = isUndelivered(second) ? second.instead : second
      if (elsewhere && answer !== second) return second
    }
    return answer.code === UNWELL ? { kind: answer.kind, payload: answer.payload } : answer
  } finally {
    span?.end(answer)
    const now = gate.mono()
    if (call.timed !== undefined) call.timed.serverMs += now - asked
    // What befell the connection is no fault of the call: of a process its supervisor keeps account, and what we close is closed.
    const isOurs = way.isClosed || (way.server.kind === 'child' && way.losses !== losses)
    if (place !== undefined) gate.leave(place, isOurs && answer?.code !== undefined ? undefined : answer, now - began)
  }
}

export function faultAnswer(server: string, fault: TransportFault): Answer {
  const { code, retryAfterMs } = fault
  const answer = errorAnswer(code, { server, ...(retryAfterMs !== undefined && { retryAfter: Math.ceil(retryAfterMs / 1000) }) })
  return fault.undelivered ? undelivered(answer) : answer
}
