// What servers say to clients and ask of them: requests as exchanges of their own, notifications through the hooks.
import type { Channel, Session } from '../downstream/session.ts'
import type { LiveExchange } from '../exchange.ts'
import { errorObject } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { writeNotification } from '../mcp/message.ts'
import { clientCapabilityFor, LISTS, LOG_LEVELS } from '../mcp/methods.ts'
import type { Refusal } from '../pipeline.ts'
import type { Answer, Outcome } from '../plugin/index.ts'
import type { Ask } from '../upstream/calls.ts'
import type { Lane } from '../upstream/lane.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'

const NO_PARAMS = Json.of({})

/** A server asks the client. `during` is the call in which it asks, where that is known. */
export async function askClient(
  deps: RelayDeps,
  session: Session,
  lane: Lane,
  ask: Ask,
  during?: { x: LiveExchange; channel: Channel },
): Promise<Answer> {
  const { pipeline, clock } = deps
  const at = clock.now()
  const x = pipeline.openExchange({
    id: deps.newId(at),
    ...(during && { parentId: during.x.id }),
    direction: 'to-client',
    action: ask.method,
    resource: { kind: 'method', server: lane.server.id, method: ask.method },
    peer: during?.x.peer ?? session.peer,
    client: session.client,
    protocolVersion: session.protocolVersion,
    sessionId: session.sessionId,
    ...(session.principal && { principal: session.principal }),
    params: ask.params ?? NO_PARAMS,
    at,
    mono: clock.mono(),
    cancel: ask,
  })
  const unfit = unfitFor(session, lane, ask)
  const admission = await pipeline.admit(x, unfit && (async () => unfit))
  if (admission.kind === 'refused') {
    pipeline.settle(x, { kind: 'denied', decision: x.decision! })
    return {
      kind: 'error',
      payload: errorObject(admission.refusal.code, { text: admission.refusal.reason, callId: x.id }),
      code: admission.refusal.code,
    }
  }
  const answer =
    admission.kind === 'answered'
      ? admission.answer
      : await session.ask(ask.method, ask.params === undefined ? undefined : (x.sent as Json), during?.channel, ask.signal, ask.progress)
  const shown = await pipeline.respond(x, answer)
  pipeline.settle(x, outcomeOf(shown))
  return shown
}

/** Why this client is not asked this, whatever the plugins say. */
function unfitFor(session: Session, lane: Lane, { method, params }: Ask): Refusal | undefined {
  if (session.era === 'modern') return { code: 'client-cannot', reason: 'this client takes no requests', by: ['default'] }
  const cannot = (what: string): Refusal => ({ code: 'client-cannot', reason: `the client did not declare ${what}`, by: ['default'] })
  if (!lane.declares) return cannot('that it can be asked')
  const needs = clientCapabilityFor(method)
  const declared = needs === undefined ? undefined : session.capabilities.get(needs)
  if (needs !== undefined && declared === undefined) return cannot(needs)
  // Spec: client/sampling, "Tools in Sampling".
  if (needs === 'sampling' && params?.get('tools') !== undefined && declared?.get('tools') === undefined) return cannot('sampling.tools')
  if (needs !== 'elicitation' || params?.string('mode') !== 'url') return undefined
  if (declared?.get('url') === undefined) return cannot('elicitation.url')
  // A person is about to open it: no script, no file, nothing that others on the way can read.
  return isHttps(params.string('url')) ? undefined : { code: 'denied', reason: 'only an https url may be opened', by: ['default'] }
}

function isHttps(url: string | undefined): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).protocol === 'https:'
}

function outcomeOf(answer: Answer): Outcome {
  if (answer.code === 'cancelled') return { kind: 'cancelled', by: 'server' }
  if (answer.kind === 'result') return { kind: 'answered', answer, isToolError: false }
  return { kind: 'failed', cause: answer.code === 'withheld' ? 'withheld' : 'upstream-error', code: answer.code ?? 'client-error', answer }
}

/** True where whoever wants messages from this level on wants this one. */
export function isLoudEnough(wanted: string | undefined, params: Json | undefined): boolean {
  const level = params?.string('level')
  return wanted !== undefined && (level === undefined || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(wanted))
}

const LIST_CHANGED: ReadonlySet<string> = new Set(LISTS.map(list => list.changed))
/** True below `uri`, not where two names only begin alike. */
function isWithin(uri: string, sub: string): boolean {
  return sub.startsWith(uri) && (uri.endsWith('/') || /^[/?#]/.test(sub.slice(uri.length)))
}

type Tell = (method: string, params: Json | undefined) => void

function tellNewest(session: Session, method: string, params: Json | undefined): void {
  let newest: Channel | undefined
  for (const { channel, logLevel } of session.inflight.all()) if (channel.open && isLoudEnough(logLevel, params)) newest = channel
  newest?.send(writeNotification(method, params))
}

/** A storm of list_changed is told once in this time. */
const CALM_MS = 50

/** Notifications outside of any call, to the client's standing stream. */
export function createTold(
  deps: RelayDeps,
  catalogs: Catalogs,
): (session: Session, lane: Lane, method: string, params: Json | undefined) => void {
  const waiting = new WeakMap<Session, Set<string>>()
  /** Notifications of one session keep their order. */
  const last = new WeakMap<Session, Promise<void>>()

  function send(session: Session, method: string, params: Json | undefined, tell: Tell = (...told) => void session.tell(...told)): void {
    if (!deps.pipeline.wants.notifications) return tell(method, params)
    const before = last.get(session)
    const sent = (async () => {
      await before
      const shown = await deps.pipeline.notify(undefined, { method, params: params ?? NO_PARAMS })
      if (shown !== undefined) tell(shown.method, params === undefined ? undefined : (shown.params as Json))
    })()
    last.set(
      session,
      sent.catch(error => deps.log.error('bug: a notification was lost', { method, error: String(error) })),
    )
  }

  return (session, lane, method, params) => {
    if (session.ended) return
    if (session.era === 'modern') {
      // A server on standard streams does not say which request a message belongs to: the newest that wants any is the best guess.
      if (method === 'notifications/message') send(session, method, params, (...told) => tellNewest(session, ...told))
      return
    }
    if (LIST_CHANGED.has(method)) {
      const pending = waiting.get(session) ?? new Set()
      if (pending.has(method)) return
      waiting.set(session, pending.add(method))
      deps.clock.after(CALM_MS, () => {
        pending.delete(method)
        if (!session.ended) send(session, method, undefined)
      })
      return
    }
    if (method === 'notifications/message') {
      if (session.logLevel !== undefined && !isLoudEnough(session.logLevel, params)) return
    }
    if (method === 'notifications/resources/updated') {
      const uri = params?.string('uri')
      if (uri === undefined) return
      const shown = catalogs.publicUri(session, lane.server.id, uri)
      // Spec: server/resources: the uri may be that of a sub-resource of the one subscribed to.
      const wanted = [...session.subscriptions].some(
        ([subscribed, { server }]) => server === lane.server.id && (shown === subscribed || isWithin(subscribed, shown)),
      )
      if (!wanted) return
      return send(session, method, shown === uri ? params : params!.with({ uri: Json.of(shown) }))
    }
    send(session, method, params)
  }
}
