// Messages of stateless clients (revision 2026-07-28): each says who asks and what he can do; nothing is remembered for him to rely on.
import type { Cancel } from '../cancel.ts'
import type { ServerConfig } from '../config/schema.ts'
import { laneOwner } from '../credentials/voice.ts'
import type { ReplyChannel, ReplyHead, Session } from '../downstream/session.ts'
import { type ErrorCode, errors } from '../errors.ts'
import { errorObject } from '../mcp/error-answer.ts'
import { asJson, Json } from '../mcp/json.ts'
import { type Message, writeErrorObject } from '../mcp/message.ts'
import { type Envelope, LEGACY_REQUESTS } from '../mcp/modern.ts'
import type { Peer, Principal } from '../plugin/index.ts'
import { refuse } from '../refusal.ts'
import { keyOf } from '../upstream/asks.ts'
import type { Asked } from './asked.ts'
import { complete } from './complete.ts'
import type { RelayDeps } from './deps.ts'
import { discoverResult } from './discover.ts'
import { PLUMBING, type Plan, type Planner, resourceOf } from './plan.ts'
import { type Caller, NOTHING, type NotAdmitted, run } from './run.ts'
import type { View } from './view.ts'
import type { findVisitor, Visitor } from './visitors.ts'

/** One message, and where it came from. */
export interface Visit {
  readonly view: View
  readonly envelope: Envelope
  readonly message: Extract<Message, { kind: 'request' | 'notification' }>
  readonly channel: ReplyChannel
  readonly peer: Peer
  /** What a header says otherwise than the body. */
  readonly mismatch: string | undefined
  /** False where no header has to say what the message says. */
  readonly isMirrored?: boolean
  /** Cancelled where the client hangs up, or says so on a channel that carries more. */
  readonly cancel: Cancel
}

export interface StatelessParts {
  readonly deps: RelayDeps
  readonly planOf: Planner
  listen(asked: Asked, caller: Caller): Plan
  find(visitor: Visitor): ReturnType<typeof findVisitor>
  learn(view: View, principal: Principal | undefined): Promise<void>
  admit(caller: Caller, peer: Peer): Promise<{ readonly principal: Principal | undefined } | NotAdmitted>
  pass(session: Session, message: Extract<Message, { kind: 'notification' }>, peer: Peer): Promise<void>
}

const REMOVED: ReadonlySet<string> = new Set(LEGACY_REQUESTS)
const KNOWN: ReadonlySet<string> = new Set([
  'notifications/cancelled',
  'notifications/initialized',
  'notifications/progress',
  'notifications/roots/list_changed',
])
const NO_PARAMS = Json.of({})

export function createStateless(parts: StatelessParts): (visit: Visit) => Promise<void> {
  const { deps, planOf, listen } = parts
  const isOpen = (): boolean => deps.pipeline.open && !deps.pipeline.wants.lists && !deps.views.isScoped

  async function request(visit: Visit, id: Json, method: string, params: Json): Promise<void> {
    const { view, envelope, channel, peer, cancel } = visit
    const caller = callerOf(envelope)
    let session: Session | undefined
    let slot = 0
    let plan: Plan | undefined
    let state: Json | undefined
    try {
      await run(deps, {
        caller,
        peer,
        id,
        method,
        params,
        channel,
        cancel,
        resource: resourceOf(view, method, 'modern'),
        resolve(x) {
          if (visit.mismatch !== undefined) return { ...refuse('header-mismatch', ['default']), reason: visit.mismatch }
          if (REMOVED.has(method)) return refuse('method-not-found', ['default'])
          const seen = deps.views.seenBy(view, x.principal)
          if (seen === undefined) return refuse('not-found', ['default'])
          const found = parts.find({ view: seen, peer, principal: x.principal, envelope })
          if (typeof found === 'string') return refuse(found, ['default'])
          session = found
          // Spec: basic/patterns/subscriptions: no log message on a stream of changes.
          const logLevel = method === 'subscriptions/listen' ? undefined : envelope.logLevel
          slot = session.inflight.add({ key: keyOf(id), cancel, channel, logLevel, principal: x.principal })
          const asked = { session, id, method, params, channel, cancel, peer, isMirrored: visit.isMirrored, client: envelope }
          plan = planFor(asked, caller)
          return plan.resolve(x)
        },
        hiddenAs: async x => plan?.hiddenAs?.(x),
        async perform(x, tell) {
          const answer = await plan!.perform(x, tell)
          state = answer.kind === 'result' ? asJson(answer.payload).get('requestState') : undefined
          return answer
        },
        finish: answer => complete({ method, params, isOpen: isOpen(), state }, answer),
      })
      plan?.replied?.()
    } finally {
      session?.inflight.remove(slot)
    }
  }

  function planFor(asked: Asked, caller: Caller): Plan {
    if (asked.method === 'server/discover') return discover(asked.session)
    return asked.method === 'subscriptions/listen' ? listen(asked, caller) : planOf(asked)
  }

  function discover({ view, principal }: Session): Plan {
    return {
      resolve: () => PLUMBING,
      async perform() {
        await parts.learn(view, principal)
        const known = (server: ServerConfig) => deps.pool.known(server, laneOwner(server, principal))
        return { kind: 'result', payload: discoverResult(view, deps.version, known) }
      },
    }
  }

  /** Of those that the revision knows none is for a server; any other goes to the servers that are open. */
  async function notification(visit: Visit, message: Extract<Message, { kind: 'notification' }>): Promise<void> {
    const { view, envelope, peer, mismatch } = visit
    if (mismatch !== undefined) return refuseNotification(visit, 'header-mismatch', mismatch)
    const admitted = await parts.admit(callerOf(envelope), peer)
    if ('code' in admitted) return refuseNotification(visit, admitted.code, undefined, admitted)
    visit.channel.reply(NOTHING)
    if (KNOWN.has(message.method)) return
    const seen = deps.views.seenBy(view, admitted.principal)
    const session = seen && parts.find({ view: seen, peer, principal: admitted.principal, envelope })
    if (session !== undefined && typeof session !== 'string') await parts.pass(session, message, peer)
  }

  return visit => {
    const { message } = visit
    return message.kind === 'request'
      ? request(visit, message.id, message.method, message.params ?? NO_PARAMS)
      : notification(visit, message)
  }
}

/** On a stream that carries more, nobody waits for an answer to a notification. */
function refuseNotification({ peer, channel }: Visit, code: ErrorCode, text?: string, head?: ReplyHead): void {
  if (peer.transport === 'http')
    channel.reply(writeErrorObject(null, errorObject(code, text === undefined ? {} : { text })), errors[code].http, head)
}

/** Who a client says he is stands in each of his requests: told apart once, so that plugins find again what they know of it. */
const callers = new Map<string, Caller>()
const MAX_CALLERS = 1000
const MAX_INFO = 1024

function callerOf({ info, version }: Envelope): Caller {
  const key = `${version}\0${info.text}`
  const known = callers.get(key)
  if (known !== undefined) return known
  const caller = readCaller(info, version)
  if (key.length > MAX_INFO) return caller
  if (callers.size >= MAX_CALLERS) callers.clear()
  callers.set(key, caller)
  return caller
}

function readCaller(info: Json, version: string): Caller {
  return {
    client: { name: info.string('name') ?? '', version: info.string('version') ?? '' },
    protocolVersion: version,
    sessionId: undefined,
  }
}
