// The heart of the data plane: takes each message of a client, says what its method means here, and runs it.
import { Cancel } from '../cancel.ts'
import type { ServerConfig } from '../config/schema.ts'
import { laneOwner } from '../credentials/voice.ts'
import { type Inflight, type ReplyChannel, Session } from '../downstream/session.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import type { Message } from '../mcp/message.ts'
import { negotiate } from '../mcp/methods.ts'
import { withoutEnvelope } from '../mcp/modern.ts'
import { ownerOf } from '../owner.ts'
import type { Peer, Resource } from '../plugin/index.ts'
import { refuse } from '../refusal.ts'
import { keyOf } from '../upstream/asks.ts'
import type { LaneUser } from '../upstream/berth.ts'
import { createAdmission } from './admission.ts'
import { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { createExpel, type Expel } from './expel.ts'
import { createInteractive } from './interactive.ts'
import { createLearn } from './learn.ts'
import { createListen } from './listen.ts'
import { initializeResult } from './merge.ts'
import { createPlans, EMPTY, isOther, PLUMBING, type Plan, resourceOf } from './plan.ts'
import { createRenew } from './renew.ts'
import { NO_PARAMS, type NotAdmitted, run } from './run.ts'
import { MAX_CLIENT_BYTES } from './sessions.ts'
import { tellAgain } from './standing.ts'
import { createStateless, type Visit } from './stateless.ts'
import { askClient } from './to-client.ts'
import { createTold } from './told.ts'
import { isNowhere, type View } from './view.ts'
import { findVisitor } from './visitors.ts'

type Request = Extract<Message, { kind: 'request' }>
type Notice = Extract<Message, { kind: 'notification' }>

export interface Relay {
  /** Answers `initialize`; the session where it was admitted. */
  open(view: View, request: Request, channel: ReplyChannel, peer: Peer): Promise<Session | undefined>
  /** Any message of a session. Resolves when it is dealt with; a request is answered on `channel`. */
  receive(session: Session, message: Message, channel: ReplyChannel, peer: Peer): Promise<void>
  /** Any message of a stateless client; a request is answered on its channel. */
  serve(visit: Visit): Promise<void>
  /** Whatever of a session carries no request (its stream, its end, notifications, responses): the credential is checked all the same. */
  admitStanding(session: Session, peer: Peer, isListening?: boolean): Promise<NotAdmitted | undefined>
  /** The gateway stops: whatever waits for changes or for a client's next request ends now. */
  drain(): void
  /** Ends what those callers have open: their sessions, their streams, their requests. */
  expel: Expel
  /** There are other servers than before. */
  renew(): void
  end(session: Session): Promise<void>
}

export function createRelay(deps: RelayDeps): Relay {
  const { pool, sessions, clock } = deps
  const catalogs = new Catalogs(pool, deps.views, clock, deps.log, deps.pipeline.wants.lists)
  const told = createTold(deps, catalogs)
  const learn = createLearn(pool, clock)
  const interactive = createInteractive(deps)
  const planOf = createPlans(deps, catalogs, interactive)
  const { admit, admitStanding } = createAdmission(deps)

  /** What servers may say to a client and ask of it. */
  const userOf = (session: Session): LaneUser => ({
    notified: (lane, method, got) => told.said(session, lane, method, got),
    asked: (lane, ask) => (session.era === 'modern' ? interactive.askedOutside(session, lane, ask) : askClient(deps, session, lane, ask)),
    opened: berth => tellAgain(session, berth),
    principalId: session.owner,
    logLevel: () => session.logLevel,
    holds: server => session.listeners.size > 0 || [...session.subscriptions.values()].some(one => one.server === server),
  })

  async function open(view: View, request: Request, channel: ReplyChannel, peer: Peer): Promise<Session | undefined> {
    const params = request.params ?? NO_PARAMS
    const protocolVersion = negotiate(params.string('protocolVersion'))
    let session: Session | undefined
    await run(deps, {
      caller: undefined,
      peer,
      id: request.id,
      method: 'initialize',
      params,
      channel: {
        get open() {
          return channel.open
        },
        send: message => channel.send(message),
        reply: (message, status, head) => channel.reply(message, status, { ...head, sessionId: session?.id }),
      },
      cancel: new Cancel(),
      resource: PLUMBING,
      resolve(x) {
        return deps.views.seenBy(view, x.principal) === undefined ? refuse('not-found', ['default']) : PLUMBING
      },
      async perform(x) {
        // A copy: a part of the message would keep the whole of it in memory.
        const own = Json.of({}).with({ info: params.get('clientInfo') ?? NO_PARAMS, capabilities: params.get('capabilities') ?? NO_PARAMS })
        if (own.bytes.length > MAX_CLIENT_BYTES)
          return errorAnswer('too-large', { text: `what a client says of itself is longer than ${MAX_CLIENT_BYTES} bytes` })
        const asked = deps.views.seenBy(view, x.principal)
        if (asked === undefined) return errorAnswer('not-found')
        await learn(asked, x.principal)
        // Meanwhile there may be other servers.
        const now = deps.views.seenBy(view, x.principal) ?? asked
        const made = new Session({
          id: sessions.newId(),
          era: 'legacy',
          view: now,
          peer,
          protocolVersion,
          info: own.get('info')!,
          capabilities: own.get('capabilities')!,
          principal: x.principal,
          now: clock.mono(),
          userOf,
        })
        if (!sessions.add(made)) return errorAnswer('too-many-sessions')
        session = made
        const known = (server: ServerConfig) => pool.known(server, laneOwner(server, made.principal))
        return { kind: 'result', payload: initializeResult(now, protocolVersion, deps.version, known) }
      },
    })
    return session
  }

  async function receive(session: Session, message: Message, channel: ReplyChannel, peer: Peer): Promise<void> {
    // Whose request it is, is not known yet; whatever else comes was admitted before.
    if (message.kind !== 'request') session.lastSeen = clock.mono()
    switch (message.kind) {
      case 'request':
        return request(session, message, channel, peer)
      case 'notification':
        return notified(session, message, peer)
      case 'result':
        session.answered(message.id, { kind: 'result', payload: message.result })
        return
      case 'error':
        session.answered(message.id, { kind: 'error', payload: message.error })
    }
  }

  async function request(session: Session, { id, method, params }: Request, channel: ReplyChannel, peer: Peer): Promise<void> {
    const cancel = new Cancel()
    const inflight: Inflight = { key: keyOf(id), cancel, channel, principal: session.principal }
    const slot = session.inflight.add(inflight)
    try {
      const asked = { session, id, method, params: params ?? NO_PARAMS, channel, cancel, peer, client: session.laneClient }
      const { perform, hiddenAs, ...plan } = planOf(asked)
      const resolve: Plan['resolve'] = x => {
        inflight.principal = x.principal
        if (ownerOf(x.principal) === session.owner) session.lastSeen = clock.mono()
        if (isNowhere(session.view)) return isOther(session, x) ?? refuse('not-found', ['default'])
        return plan.resolve(x)
      }
      const resource = resourceOf(session.view, method)
      await run(deps, { caller: session, peer, id, method, params, channel, cancel, resource, resolve, perform, hiddenAs })
    } finally {
      session.inflight.remove(slot)
    }
  }

  async function notified(session: Session, { method, params }: Notice, peer: Peer): Promise<void> {
    if (method === 'notifications/initialized') return
    if (method === 'notifications/cancelled') {
      const id = params?.get('requestId')
      if (id === undefined) return
      const key = keyOf(id)
      const about = session.inflight.find(one => one.key === key)
      const shown = about === undefined ? undefined : await clear(method, params!)
      about?.cancel.cancel(shown?.string('reason') ?? 'cancelled by the client')
      return
    }
    if (method === 'notifications/progress') {
      const shown = params === undefined ? undefined : await clear(method, params)
      return shown && session.progressed(shown)
    }
    if (method === 'notifications/roots/list_changed' && !session.declares) return
    await pass(session, { method, params }, peer)
  }

  /** What we do not know is for every server that is open; of roots only those hear that were told of roots. */
  async function pass(session: Session, { method, params }: Pick<Notice, 'method' | 'params'>, peer: Peer): Promise<void> {
    for (const { id: server } of session.view.servers) {
      const lane = catalogs.berth(session, server)?.lane
      if (lane?.isOpen !== true) continue
      const resource: Resource = { kind: 'method', server, method }
      const channel: ReplyChannel = { open: false, send() {}, reply() {} }
      await run(deps, {
        caller: session,
        peer,
        id: Json.of(0),
        method,
        params,
        channel,
        cancel: new Cancel(),
        resource: method === 'notifications/roots/list_changed' ? PLUMBING : resource,
        async perform(x) {
          const sent = params === undefined ? undefined : (x.sent as Json)
          lane.notify(method, session.era === 'modern' ? sent && withoutEnvelope(sent) : sent)
          return EMPTY
        },
      })
    }
  }

  /** What a client says of a request goes to a server as well: the plugins see it as any other notification. */
  async function clear(method: string, params: Json): Promise<Json | undefined> {
    if (!deps.pipeline.wants.notifications) return params
    return (await deps.pipeline.notify(undefined, { method, params }))?.params as Json | undefined
  }

  const serve = createStateless({
    deps,
    planOf,
    listen: createListen({ deps, catalogs, planOf, learn: ({ view, principal }) => learn(view, principal) }),
    learn,
    admit,
    pass,
    find: visitor => findVisitor(deps, visitor, userOf),
  })

  /** Streams that would stay for ever are ended, and their clients told so. */
  function drain(): void {
    for (const session of sessions.all()) for (const one of session.standing) one.end()
  }

  return {
    open,
    receive,
    serve,
    admitStanding,
    drain,
    expel: createExpel(sessions),
    renew: createRenew(deps, catalogs, told),
    end: session => sessions.end(session),
  }
}
