// Streamable HTTP for clients of both eras: routes, sessions by header or requests on their own, bodies within bounds.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Cancel } from '../cancel.ts'
import { type GatewayConfig, idPattern } from '../config/schema.ts'
import type { ErrorCode } from '../errors.ts'
import { isFault, Json } from '../mcp/json.ts'
import { readMessage } from '../mcp/message.ts'
import { isLegacyVersion } from '../mcp/methods.ts'
import type { Operations } from '../operations/operations.ts'
import { OVERLOAD_RETRY, type Shedding } from '../overload.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Clock, JsonObject, Log } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { SessionStore } from '../relay/sessions.ts'
import type { View, Views } from '../relay/view.ts'
import { accepts, pathOf } from './asked-for.ts'
import { runBatch } from './batch.ts'
import { createBodyReader } from './body.ts'
import { createAddresses } from './client-address.ts'
import { certificateOf } from './client-certificate.ts'
import { createGreetings } from './greeting.ts'
import { endWith, whenHungUp } from './http-channel.ts'
import { createGatekeeper, framingFault, HttpPeer } from './http-peer.ts'
import { openHttpServer } from './http-server.ts'
import { classify } from './inbound.ts'
import { createRefusing } from './refusing.ts'
import { createRest } from './rest.ts'
import { writeRestError } from './rest-answer.ts'
import type { Session } from './session.ts'
import { createStreams } from './streams.ts'
import type { TlsKeeper } from './tls.ts'
import { within } from './within.ts'

export interface HttpOptions {
  readonly config: Pick<GatewayConfig, 'listen' | 'limits'>
  readonly relay: Relay
  readonly sessions: SessionStore
  readonly views: Views
  readonly pipeline: Pipeline
  readonly operations: Pick<Operations, 'match'>
  /** The plain HTTP interface, as a document. */
  readonly description: JsonObject
  readonly clock: Clock
  readonly log: Log
  readonly tls?: TlsKeeper | undefined
  readonly overload: Shedding
  /** Anything but the MCP endpoints; why it was not served, `not-found` where the path is not known. */
  serveOther(request: IncomingMessage, response: ServerResponse, path: string, peer: HttpPeer): ErrorCode | undefined
}

export interface HttpListener {
  readonly port: number
  /** Takes no new work; resolves when what is under way is answered, or `limitMs` has passed. */
  drain(limitMs: number): Promise<void>
  /** After `drain`: gives last answers a moment to leave, then cuts what is left. */
  close(): Promise<void>
}

/** So many of the longest messages may be on their way in at once. */
const BODIES = 16
const LAST_ANSWERS_MS = 500

export async function listenHttp(options: HttpOptions): Promise<HttpListener> {
  const { config, relay, sessions, views, pipeline, log, overload } = options
  const { messageBytes } = config.limits
  const jsonLimits = { bytes: messageBytes, depth: config.limits.depth, keys: config.limits.keys }
  const readBody = createBodyReader(messageBytes, BODIES * messageBytes)
  const gatekeeper = createGatekeeper(config.listen.hosts, config.listen.origins, () => config.listen)
  const addresses = createAddresses(config.listen.trustedProxies)
  const greetings = createGreetings(pipeline, addresses, options.clock.now)
  const streams = createStreams(options.clock, messageBytes)
  const { refuse, answer, turnAway, cut } = createRefusing(pipeline, streams, addresses)
  const refusing = createRefusing(pipeline, streams, addresses, writeRestError)
  const rest = createRest({
    relay,
    views,
    operations: options.operations,
    description: options.description,
    overload,
    limits: jsonLimits,
    readBody,
    refusing,
    logBug,
  })
  let stopping = false

  function logBug(error: unknown): void {
    log.error('bug: a message could not be handled', { error: error instanceof Error ? (error.stack ?? '') : String(error) })
  }

  function viewOf(path: string): View | undefined {
    if (path === '/mcp') return views.all
    const id = path.startsWith('/mcp/') ? path.slice(5) : undefined
    if (id === undefined) return undefined
    // Which servers there are is not for whoever has not said who he is.
    return views.of(id) ?? (pipeline.authenticates && idPattern.test(id) ? views.nowhere(id) : undefined)
  }

  /** Spec: RFC 9110, 10.1.1: of what it waits for before it sends its body, only a 100 is understood. */
  function expectNothing(response: ServerResponse): void {
    response.setHeader('connection', 'close')
    refuse(response, 'invalid-request', { status: 417, text: 'of Expect only 100-continue is understood' })
  }

  function meet(request: IncomingMessage, response: ServerResponse, isExpectation = false): void {
    const { rawHeaders, socket, url, method } = request
    // Invariant: what was behind on a connection that is cut, Node still reads as requests.
    if (socket.destroyed || socket.writableEnded) return
    const code = framingFault(request)
    if (code !== undefined) return cut(socket, Object.assign(new Error('not HTTP'), { code }), false)
    const certificate = options.tls && certificateOf(socket, options.clock.now())
    const peer = new HttpPeer(addresses.ofRequest(request), { rawHeaders, path: pathOf(url), certificate, method, target: url })
    greetings.whenWelcome(
      request.socket,
      peer,
      () => (isExpectation ? expectNothing(response) : handle(request, response, peer)),
      refusal => turnAway(response, refusal),
    )
  }

  function handle(request: IncomingMessage, response: ServerResponse, peer: HttpPeer): void {
    const { path } = peer
    const denied = gatekeeper.check(request, peer)
    // What is odd about the request itself may be the beginning of worse.
    if (denied === 'invalid-request') response.setHeader('connection', 'close')
    if (denied !== undefined) return (rest.knows(request, path) ? refusing.refuse : refuse)(response, denied)
    const view = path === undefined ? undefined : viewOf(path)
    if (view === undefined) {
      if (path !== undefined && rest.serve(request, response, path, peer, stopping)) return
      const unserved = path === undefined ? 'not-found' : options.serveOther(request, response, path, peer)
      if (unserved !== undefined) refuse(response, unserved)
      return
    }
    if (stopping) return refuse(response, 'stopping')
    const accept = request.headers.accept
    if (request.method === 'POST') {
      if (!accepts(accept, 'application/json') || !accepts(accept, 'text/event-stream')) return refuse(response, 'not-acceptable')
      if (overload.shedsUnread(request.headers['content-length'])) return refuse(response, 'overloaded', { retryAfter: OVERLOAD_RETRY })
      return readBody(request, peer, body => {
        if (typeof body === 'string') return refuse(response, body)
        void post(view, body, request, response, peer).catch(error => {
          logBug(error)
          if (!response.headersSent) answer(response, 'internal')
          else response.destroy()
        })
      })
    }
    if (request.method !== 'GET' && request.method !== 'DELETE') {
      response.setHeader('allow', 'POST, GET, DELETE')
      return refuse(response, 'method-not-allowed')
    }
    if (request.method === 'GET' && !accepts(accept, 'text/event-stream')) return refuse(response, 'not-acceptable')
    const session = sessionOf(request, view)
    if (typeof session === 'string') return refuse(response, session)
    standing(session, request, response, peer).catch(logBug)
  }

  /** GET and DELETE carry no message, but they carry a credential: they are admitted like a ping. */
  async function standing(session: Session, request: IncomingMessage, response: ServerResponse, peer: HttpPeer): Promise<void> {
    const refused = await relay.admitStanding(session, peer, request.method === 'GET')
    if (refused !== undefined) return answer(response, refused.code, refused)
    if (request.method === 'DELETE') {
      await relay.end(session)
      return endWith(response, 200)
    }
    if (session.ended) return refuse(response, 'session-unknown')
    if (!streams.listen(response, session, request.headers['last-event-id'] as string | undefined)) refuse(response, 'stream-unknown')
  }

  async function post(view: View, body: Uint8Array, request: IncomingMessage, response: ServerResponse, peer: HttpPeer): Promise<void> {
    const json = Json.scan(body, jsonLimits)
    if (isFault(json)) return refuse(response, json.code, { text: `${json.message} at byte ${json.offset}` })
    const message = readMessage(json, 'downstream')
    if ('code' in message) return refuse(response, message.code, { text: message.message, isQuote: true, id: message.id })
    const action = 'method' in message ? message.method : undefined
    if (overload.sheds(message))
      return refuse(response, 'overloaded', { retryAfter: OVERLOAD_RETRY, action, ...(message.kind === 'request' && { id: message.id }) })
    const inbound = classify(message, peer)
    if (inbound.kind === 'refused') {
      const { code, text, data } = inbound
      return refuse(response, code, { text, data, action, status: 400, ...(message.kind === 'request' && { id: message.id }) })
    }
    if (inbound.kind === 'modern' && (message.kind === 'request' || message.kind === 'notification')) {
      // Spec: 2026-07-28 basic/transports/streamable-http, "Cancellation": hanging up is the cancel.
      const cancel = new Cancel()
      whenHungUp(response, () => cancel.cancel('the client has hung up'))
      const channel = streams.reply(response, undefined)
      return streams.awaited(
        channel,
        relay.serve({ view, envelope: inbound.envelope, message, channel, peer, mismatch: inbound.mismatch, cancel }),
      )
    }
    if (message.kind === 'request' && message.method === 'initialize' && request.headers['mcp-session-id'] === undefined) {
      await relay.open(view, message, streams.plain(response), peer)
      return
    }
    const session = sessionOf(request, view)
    if (typeof session === 'string') return refuse(response, session, { action, ...(message.kind === 'request' && { id: message.id }) })
    const channel = streams.reply(response, session)
    if (message.kind === 'batch') {
      const refused = await relay.admitStanding(session, peer)
      if (refused !== undefined) return answer(response, refused.code, refused)
      if (session.protocolVersion !== '2025-03-26') return refuse(response, 'batch-refused')
      return streams.awaited(channel, runBatch(relay, session, message.items, channel, peer, pipeline))
    }
    if (message.kind !== 'request') {
      const refused = await relay.admitStanding(session, peer)
      if (refused !== undefined) return answer(response, refused.code, refused)
      relay.receive(session, message, channel, peer).catch(logBug)
      return endWith(response, 202)
    }
    await streams.awaited(channel, relay.receive(session, message, channel, peer))
  }

  function sessionOf(request: IncomingMessage, view: View): Session | ErrorCode {
    const id = request.headers['mcp-session-id']
    if (id === undefined) return 'session-missing'
    const version = request.headers['mcp-protocol-version']
    // Spec: basic/transports, "Protocol Version Header": an unsupported one is a 400. Before the session is looked for: there may be one of somebody else's.
    if (version !== undefined && !(typeof version === 'string' && isLegacyVersion(version))) return 'invalid-request'
    const session = typeof id === 'string' ? sessions.find(id) : undefined
    return session === undefined || session.view.only !== view.only ? 'session-unknown' : session
  }

  const server = await openHttpServer({
    listen: config.listen,
    tls: options.tls,
    addresses,
    onRequest: meet,
    onExpectation: (request, response) => meet(request, response, true),
    onConnection: greetings.greet,
    onBroken: cut,
  })

  function drain(limitMs: number): Promise<void> {
    stopping = true
    streams.close()
    return within(server.end(), limitMs)
  }

  return {
    port: server.port,
    drain,
    async close() {
      await drain(LAST_ANSWERS_MS)
      server.cut()
      await server.end()
    },
  }
}
