// What servers ask of clients: each request is an exchange of its own, admitted and answered through the same hooks as any other.
import { whichOf } from '../config/places.ts'
import type { Channel, Session } from '../downstream/session.ts'
import type { LiveExchange } from '../exchange.ts'
import { errorObject } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { clientCapabilityFor } from '../mcp/methods.ts'
import type { Refusal } from '../pipeline.ts'
import type { Answer, JsonObject, Outcome } from '../plugin/index.ts'
import type { Ask } from '../upstream/calls.ts'
import type { Lane } from '../upstream/lane.ts'
import type { RelayDeps } from './deps.ts'
import { answerWithOwnRelated, withShownRelated } from './task-ids.ts'

const NO_PARAMS = Json.of({})
const LATER: Outcome = Object.freeze({
  kind: 'answered',
  answer: Object.freeze({ kind: 'result', payload: NO_PARAMS, isInputRequired: true }),
  isToolError: false,
  isInputRequired: true,
})

/** A request of a server that may be shown to the client; one of the two ends it. */
export interface OpenAsk {
  /** As it is shown. */
  readonly params: Json | undefined
  /** The client's answer, as the server may see it. */
  close(answer: Answer): Promise<Answer>
  /** It went out in an answer to the client; what he says to it comes with a request of his own. */
  leave(): void
}

/** Refused, or answered by a plugin. `missing`: what the client would have had to declare. */
export interface ClosedAsk {
  readonly answer: Answer
  readonly missing?: JsonObject
}

export interface During {
  readonly x: LiveExchange
  readonly channel?: Channel
}

/** A server asks the client. `during` is the call in which it asks, where that is known. */
export async function askClient(deps: RelayDeps, session: Session, lane: Lane, ask: Ask, during?: During): Promise<Answer> {
  const opened = await openAsk(deps, session, lane, ask, during)
  if ('answer' in opened) return opened.answer
  return opened.close(await session.ask(ask.method, opened.params, during?.channel, ask.signal, ask.progress))
}

export async function openAsk(
  deps: RelayDeps,
  session: Session,
  lane: Lane,
  ask: Pick<Ask, 'method' | 'params' | 'signal'>,
  during?: Pick<During, 'x'>,
): Promise<OpenAsk | ClosedAsk> {
  const { pipeline, clock } = deps
  const at = clock.now()
  const principal = during?.x.principal ?? session.principal
  const x = pipeline.openExchange({
    id: deps.newId(at),
    ...(during && { parentId: during.x.id }),
    direction: 'to-client',
    action: ask.method,
    resource: { kind: 'method', server: lane.server.id, ...whichOf({ version: lane.server.version }), method: ask.method },
    peer: during?.x.peer ?? session.peer,
    client: session.client,
    protocolVersion: session.protocolVersion,
    sessionId: session.sessionId,
    // Who makes the call may have other roles by now than who opened the session.
    ...(principal && { principal }),
    params: withShownRelated(deps.handles, session, lane, ask.params) ?? NO_PARAMS,
    at,
    mono: clock.mono(),
    cancel: ask,
  })
  const unfit = unfitFor(session, lane, ask)
  const admission = await pipeline.admit(x, unfit && (async () => unfit))
  if (admission.kind === 'refused') {
    pipeline.settle(x, { kind: 'denied', decision: x.decision! })
    const { code, reason } = admission.refusal
    const answer: Answer = { kind: 'error', payload: errorObject(code, { text: reason, callId: x.id }), code }
    return unfit?.missing === undefined ? { answer } : { answer, missing: unfit.missing }
  }
  const close = async (answer: Answer): Promise<Answer> => {
    const shown = await pipeline.respond(x, answer)
    pipeline.settle(x, outcomeOf(shown))
    return answerWithOwnRelated(deps.handles, session, lane, shown)
  }
  if (admission.kind === 'answered') return { answer: await close(admission.answer) }
  return { params: ask.params === undefined ? undefined : (x.sent as Json), close, leave: () => pipeline.settle(x, LATER) }
}

/** Why this client is not asked this, whatever the plugins say. */
export function unfitFor(
  session: Pick<Session, 'capabilities'>,
  lane: Pick<Lane, 'declares'>,
  { method, params }: Pick<Ask, 'method' | 'params'>,
): (Refusal & { readonly missing?: JsonObject }) | undefined {
  const cannot = (what: string, missing?: JsonObject) => ({
    code: 'client-cannot',
    reason: `the client did not declare ${what}`,
    by: ['default'],
    ...(missing && { missing }),
  })
  if (!lane.declares) return cannot('that it can be asked')
  const needs = clientCapabilityFor(method)
  const declared = needs === undefined ? undefined : session.capabilities.get(needs)
  if (needs !== undefined && declared === undefined) return cannot(needs, { [needs]: {} })
  // Spec: client/sampling, "Tools in Sampling".
  if (needs === 'sampling' && params?.get('tools') !== undefined && declared?.get('tools') === undefined)
    return cannot('sampling.tools', { sampling: { tools: {} } })
  if (needs !== 'elicitation' || params?.string('mode') !== 'url') return undefined
  if (declared?.get('url') === undefined) return cannot('elicitation.url', { elicitation: { url: {} } })
  // A person is about to open it: no script, no file, nothing that others on the way can read.
  return isHttps(params.string('url')) ? undefined : { code: 'denied', reason: HTTPS_ONLY, by: ['default'] }
}

export const HTTPS_ONLY = 'only an https url may be opened'
const URL_ELICITATION_REQUIRED = -32042

/** Spec: 2025-11-25 client/elicitation, "URL Elicitation Required Error": what is to be opened stands in the error. */
export function isUnsafe({ kind, payload }: Answer): boolean {
  if (kind !== 'error') return false
  const error = payload as Json
  if (error.get('code')?.value !== URL_ELICITATION_REQUIRED) return false
  const wanted = error.get('data')?.get('elicitations')?.items() ?? []
  return wanted.some(one => one.get('url') !== undefined && !isHttps(one.string('url')))
}

// Not parsed: a host of many foreign letters would take seconds. What parsers drop or turn round, white space and `\`, is in none.
const HTTPS = /^https:\/\/[^\s\p{Cc}\\/?#][^\s\p{Cc}\\]*$/iu

function isHttps(url: string | undefined): boolean {
  return url !== undefined && HTTPS.test(url)
}

function outcomeOf(answer: Answer): Outcome {
  if (answer.code === 'cancelled') return { kind: 'cancelled', by: 'server' }
  if (answer.kind === 'result') return { kind: 'answered', answer, isToolError: false }
  return { kind: 'failed', cause: answer.code === 'withheld' ? 'withheld' : 'upstream-error', code: answer.code ?? 'client-error', answer }
}
