// One request of a client as a straight line: open, admit, perform, respond, reply, settle.
import type { Cancel } from '../cancel.ts'
import type { ReplyChannel, ReplyHead } from '../downstream/session.ts'
import { type ErrorCode, errors, isErrorCode } from '../errors.ts'
import { callOf, type LiveExchange } from '../exchange.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { asJson, Json } from '../mcp/json.ts'
import { writeErrorObject, writeNotification, writeResult } from '../mcp/message.ts'
import type { Refusal, Unresolved } from '../pipeline.ts'
import type { Answer, Awaitable, Exchange, Outcome, Peer, Resource } from '../plugin/index.ts'
import { refusalError } from '../refusal.ts'
import { Backlog } from './backlog.ts'
import type { RelayDeps } from './deps.ts'

/** Who asks, as far as he says so himself. */
export type Caller = Pick<Exchange, 'client' | 'protocolVersion' | 'sessionId'>

export interface Work {
  readonly caller: Caller | undefined
  readonly peer: Peer
  readonly id: Json
  readonly method: string
  readonly params: Json | undefined
  readonly channel: ReplyChannel
  readonly cancel: Cancel
  /** What it is about, before the name is looked up. */
  readonly resource: Resource
  /** Looks the name up once the caller is known; a refusal where there is nothing of that name. */
  readonly resolve?: ((x: LiveExchange) => Awaitable<Resource | Unresolved>) | undefined
  /** Does it. The answer is not yet seen by any plugin. */
  perform(x: LiveExchange, tell: Tell): Promise<Answer>
  /** What is denied is answered as what does not exist where the caller may not even see it: the code of that. */
  readonly hiddenAs?: ((x: LiveExchange) => Promise<ErrorCode | undefined>) | undefined
  /** The answer as this client's revision has it, last of all. */
  readonly finish?: ((answer: Answer) => Finished) | undefined
}

/** `status` counts on HTTP only. */
export interface Finished {
  readonly answer: Answer
  readonly status: number | undefined
}

/** Sends a notification of this request to the client, in order, after the plugins have seen it. */
export type Tell = (method: string, params: Json | undefined) => void

/** Where the whole request is refused, and the answer has the status of the code. */
const IDENTITY: ReadonlySet<string> = new Set([
  'unauthenticated',
  'bad-credential',
  'many-credentials',
  'bad-signature',
  'too-many-failures',
  'insufficient-scope',
  'forbidden-address',
  'not-found',
  'session-unknown',
  'stopping',
])
function isOfCaller({ code, ofCaller }: Refusal): boolean {
  return ofCaller === true || IDENTITY.has(code)
}

/** Why what carries no request was refused. */
export interface NotAdmitted {
  readonly code: ErrorCode
  readonly challenge?: string | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
}

/** Stands for params that were left out: plugins see an object, the server sees none either. */
export const NO_PARAMS: Json = Json.of({})

export async function run(deps: RelayDeps, work: Work): Promise<void> {
  const { pipeline, clock } = deps
  const { caller } = work
  const at = clock.now()
  const x = pipeline.openExchange({
    id: deps.newId(at),
    direction: 'to-server',
    action: work.method,
    resource: work.resource,
    peer: work.peer,
    client: caller?.client,
    protocolVersion: caller?.protocolVersion,
    sessionId: caller?.sessionId,
    params: work.params ?? NO_PARAMS,
    at,
    mono: clock.mono(),
    cancel: work.cancel,
  })
  try {
    pipeline.settle(x, await carry(deps, work, x))
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    deps.log.error('bug: a request failed inside the gateway', { ...callOf(x), method: work.method, error: stack ?? message })
    const answer = errorAnswer('internal', { callId: x.id })
    reply(work, answer, errors.internal.http)
    pipeline.settle(x, { kind: 'failed', cause: 'internal', code: 'internal', answer })
  } finally {
    deps.credentials.callers?.end(x)
  }
}

/** From the first hook to the reply; how it ended. */
async function carry(deps: RelayDeps, work: Work, x: LiveExchange): Promise<Outcome> {
  const { pipeline } = deps
  const admission = await pipeline.admit(x, work.resolve === undefined ? undefined : () => resolve(deps, work, x))
  if (admission.kind === 'refused') {
    const { refusal } = admission
    const hidden = isOfCaller(refusal) ? undefined : await work.hiddenAs?.(x)
    refuse(deps, work, hidden === undefined ? refusal : { code: hidden, reason: errors[hidden].text, by: refusal.by }, x.id)
    return { kind: 'denied', decision: x.decision! }
  }
  deps.credentials.callers?.begin(x)
  const told = createTell(deps, x, work.channel)
  const given = admission.kind === 'answered' ? admission.answer : await perform(deps, work, x, told.tell)
  // Told apart before the plugins see it, as a recorder writes down what it sees.
  const isExpelled = given.code === 'cancelled' && work.cancel.by === 'credential'
  const answer = isExpelled ? errorAnswer('credential-ended', { callId: x.id }) : given
  await told.done()
  const shown = await pipeline.respond(x, answer)
  const outcome = outcomeOf(answer, shown)
  // Spec: basic/utilities/cancellation: no answer to a request that its client cancelled.
  if (outcome.kind === 'cancelled' && outcome.by === 'client') work.channel.reply(NOTHING)
  else reply(work, shown)
  return outcome
}

function resolve({ credentials }: RelayDeps, work: Work, x: LiveExchange): Awaitable<Resource | Unresolved> {
  credentials.callers?.begin(x)
  return work.resolve!(x)
}

function reply(work: Work, given: Answer, status?: number, head?: ReplyHead): void {
  const finished = work.finish?.(given)
  const { kind, payload } = finished?.answer ?? given
  const write = kind === 'result' ? writeResult : writeErrorObject
  work.channel.reply(write(work.id, asJson(payload)), status ?? finished?.status, head)
}

/** What was begun upstream is on record as begun: a bug here must still come to an answer that the plugins see. */
async function perform(deps: RelayDeps, work: Work, x: LiveExchange, tell: Tell): Promise<Answer> {
  try {
    return await work.perform(x, tell)
  } catch (error) {
    deps.log.error('bug: a request could not be carried out', { ...callOf(x), method: work.method, error: String(error) })
    return errorAnswer('internal', { callId: x.id })
  }
}

/** Ends a reply channel without a message. */
export const NOTHING: Uint8Array = new Uint8Array(0)

function createTell(deps: RelayDeps, x: LiveExchange, channel: ReplyChannel): { tell: Tell; done(): Promise<void> | undefined } {
  if (!deps.pipeline.wants.notifications) {
    return { tell: (method, params) => channel.open && channel.send(writeNotification(method, params)), done: () => undefined }
  }
  const backlog = new Backlog()
  let dropped = 0
  return {
    tell(method, params) {
      const waits = backlog.add(params?.bytes.length ?? 0, async () => {
        const shown = await deps.pipeline.notify(x, { method, params: params ?? NO_PARAMS })
        if (shown !== undefined && channel.open)
          channel.send(writeNotification(shown.method, params === undefined ? undefined : (shown.params as Json)))
      })
      if (!waits && dropped++ === 0)
        deps.log.warn('notifications of a call come faster than the plugins clear them; some are dropped', { ...callOf(x), method })
    },
    done: () => backlog.done(),
  }
}

function outcomeOf(answer: Answer, shown: Answer): Outcome {
  if (answer.code === 'cancelled') return { kind: 'cancelled', by: 'client' }
  if (answer.code === 'credential-ended') return { kind: 'cancelled', by: 'credential' }
  if (shown.code === 'withheld') return { kind: 'failed', cause: 'withheld', code: 'withheld', answer: shown }
  if (shown.kind === 'result') {
    const isToolError = shown.isToolError === true
    return shown.isInputRequired === true
      ? { kind: 'answered', answer: shown, isToolError, isInputRequired: true }
      : { kind: 'answered', answer: shown, isToolError }
  }
  return { kind: 'failed', cause: causeOf(shown.code), code: shown.code ?? 'upstream-error', answer: shown }
}

function causeOf(code: string | undefined): 'upstream-error' | 'timeout' | 'crashed' | 'internal' {
  if (code === 'upstream-timeout') return 'timeout'
  if (code === 'upstream-crashed' || code === 'upstream-unavailable') return 'crashed'
  return code === 'internal' ? 'internal' : 'upstream-error'
}

/** Spec: server/tools, "Error Handling": what the agent should read and mend is a tool result, the rest a protocol error. */
function refuse(deps: RelayDeps, work: Work, refusal: Refusal, callId: string): void {
  const { code, retryAfter, challenge } = refusal
  const status = isOfCaller(refusal) && isErrorCode(code) ? errors[code].http : undefined
  const plain = work.method !== 'tools/call' || status !== undefined || PROTOCOL.has(code) || deps.config.refusals === 'error'
  if (plain)
    return reply(
      work,
      // Invariant: a session of somebody else is answered as one that there is not, which is no call.
      { kind: 'error', payload: refusalError(refusal, code === 'session-unknown' ? undefined : callId), code },
      status,
      status === undefined ? undefined : { challenge, retryAfter },
    )
  const result = Json.of({
    content: [{ type: 'text', text: refusal.reason }],
    isError: true,
    _meta: { 'mcpgw/refusal': { code, callId, ...(retryAfter !== undefined && { retryAfter }) } },
  })
  reply(work, { kind: 'result', payload: result })
}

const PROTOCOL: ReadonlySet<string> = new Set<ErrorCode>([
  'unknown-tool',
  'unknown-prompt',
  'unknown-resource',
  'invalid-params',
  'method-not-found',
  'header-mismatch',
  'missing-capability',
  'upstream-unavailable',
])
