// The stateless side of a lane (2026-07-28): each request says all that it needs, and what older revisions asked of a session is done without one.
import { within } from '../clock.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { MODERN_ERRORS } from '../mcp/modern.ts'
import type { Answer, Clock } from '../plugin/index.ts'
import type { CallLimits, Calls, LaneCall } from './calls.ts'
import type { Agreement, LaneClient } from './handshake.ts'
import { createListening, type Listening } from './listening.ts'
import { askInRounds, isInputRequired, mayAsk } from './rounds.ts'
import { inEnvelope, LEGACY_ONLY, mirrorHeaders } from './speech.ts'
import type { Transport } from './transport.ts'

export interface Stateless {
  readonly listening: Listening
  /** As a lane's request; resolves with an answer of which the caller need not know the era. */
  request(method: string, params: Json | undefined, call: LaneCall): Promise<Answer>
  /** Spec: 2026-07-28 basic/patterns/cancellation: a server cancels nothing but a subscription. */
  cancelled(id: number | undefined): void
}

export interface StatelessOptions {
  readonly server: string
  readonly agreement: Agreement
  readonly client: LaneClient
  readonly calls: Calls
  readonly transport: Transport
  readonly limits: CallLimits
  readonly clock: Clock
  /** A call begins or ends to wait for its client. */
  rest(isResting: boolean): void
  notified(method: string, params: Json | undefined): void
  missed(): void
  /** The tool's definition, asked anew. */
  definitionOf(tool: string): Promise<Json | undefined>
}

const UNLIMITED: CallLimits = { callMs: 0 }
const DONE: Answer = Object.freeze({ kind: 'result', payload: Json.of({}) })

export function createStateless(options: StatelessOptions): Stateless {
  const { server, agreement, client, calls, transport, limits, clock } = options
  const { capabilities, protocolVersion } = agreement

  const listening = createListening({
    capabilities,
    clock,
    listen: (params, call) => send('subscriptions/listen', params, call, call.definition, UNLIMITED),
    notified: options.notified,
    missed: options.missed,
  })

  function send(method: string, params: Json | undefined, call: LaneCall, definition: Json | undefined, span: CallLimits): Promise<Answer> {
    const sent = inEnvelope(params, call.client ?? client, protocolVersion)
    const headers = transport.endsToCancel === true ? mirrorHeaders(method, sent, protocolVersion, definition) : undefined
    return calls.send(transport, method, sent, call, span, headers)
  }

  async function request(method: string, params: Json | undefined, call: LaneCall): Promise<Answer> {
    if (LEGACY_ONLY.has(method)) return stand(method, params)
    let { definition } = call
    let answer = await send(method, params, call, definition, limits)
    if (isMismatch(answer) && method === 'tools/call' && transport.endsToCancel === true) {
      // Spec: "Client Behavior": the tool may want other parameters mirrored by now.
      definition = await options.definitionOf(params?.string('name') ?? '')
      if (definition !== undefined) answer = await send(method, params, call, definition, limits)
    }
    if (!isInputRequired(answer)) return answer
    if (!mayAsk(method)) return errorAnswer('upstream-garbage', { server })
    if (call.takesInputRequired === true) return answer
    return askInRounds(answer, call, {
      server,
      clock,
      maxMs: limits.maxMs ?? 0,
      rest: options.rest,
      again: more => send(method, (params ?? EMPTY).with(more), call, definition, limits),
    })
  }

  /** What a session would be told: the level goes with each request, a subscription into the filter of the one stream. */
  async function stand(method: string, params: Json | undefined): Promise<Answer> {
    const uri = params?.string('uri') ?? ''
    switch (method) {
      case 'ping':
      case 'logging/setLevel':
        return DONE
      case 'resources/unsubscribe':
        listening.unsubscribe(uri)
        return DONE
      case 'resources/subscribe':
        if (capabilities.get('resources')?.get('subscribe')?.value !== true) return errorAnswer('method-not-found', { server })
        return subscribe(uri)
      default:
        return errorAnswer('method-not-found', { server })
    }
  }

  async function subscribe(uri: string): Promise<Answer> {
    const ask = () => listening.subscribe(uri)
    const agreed = await (limits.callMs === 0 ? ask() : within(clock, limits.callMs, ask))
    if (agreed === true) return DONE
    if (agreed === false) return errorAnswer('invalid-params', { server, text: 'the server does not tell of this uri' })
    listening.unsubscribe(uri)
    return errorAnswer('upstream-timeout', { server })
  }

  return {
    listening,
    request,
    cancelled(id) {
      const pending = id === undefined ? undefined : calls.find(id)
      if (pending?.method === 'subscriptions/listen') pending.settle(errorAnswer('cancelled', { server }))
    },
  }
}

const EMPTY = Json.of({})

function isMismatch(answer: Answer): boolean {
  return (
    answer.kind === 'error' && answer.code === undefined && (answer.payload as Json).get('code')?.value === MODERN_ERRORS.headerMismatch
  )
}
