// What operators, probes and everybody ask over HTTP: is it alive, is it ready, how are its parts, what do plugins publish. No secret and no output of a server is in it.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Health, HealthView } from '../health.ts'
import type { Edge } from '../kernel/edge.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { ShownServer } from '../upstream/board.ts'
import { headersFor } from './answer-headers.ts'
import type { HttpPeer } from './http-peer.ts'

export interface OperationsSource {
  readonly health: Health
  readonly metrics: MetricsRegistry
  readonly version: string
  /** Whoever shows it may read the metrics, from wherever he comes. */
  readonly metricsToken?: string | undefined
  servers(): readonly ShownServer[]
  readonly edge: Pick<Edge, 'find'>
}

/** Why it was not served; `not-found` where the path is none of these. The parts in `/healthz` and, without a token, `/metrics` are for this machine only. */
export function serveOperations(
  source: OperationsSource,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  peer: HttpPeer,
): 'not-found' | 'unauthenticated' | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return 'not-found'
  const isLocal = isOfThisMachine(peer)
  switch (path) {
    case '/healthz':
    case '/readyz': {
      const view = seeServers(source)
      const status = path === '/readyz' && view.status === 'failing' ? 503 : 200
      send(
        response,
        status,
        'application/json',
        `${JSON.stringify(isLocal ? { ...view, version: source.version } : { status: view.status })}\n`,
      )
      return undefined
    }
    case '/metrics': {
      const token = source.metricsToken
      if (token === undefined && !isLocal) return 'not-found'
      if (token !== undefined && !shows(peer, token)) return 'unauthenticated'
      send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', source.metrics.render())
      return undefined
    }
    default: {
      const document = source.edge.find(path, peer.header('host')[0] ?? '')
      if (document === undefined) return 'not-found'
      send(response, 200, 'application/json', `${JSON.stringify(document)}\n`)
      return undefined
    }
  }
}

function shows(peer: HttpPeer, token: string): boolean {
  const [value = '', ...more] = peer.header('authorization')
  const given = /^Bearer +(\S+)$/i.exec(value)?.[1]
  // Of equal length whatever was given, so that the time tells nothing.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return given !== undefined && more.length === 0 && timingSafeEqual(digest(given), digest(token))
}

const FORWARDING = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'x-real-ip', 'via']

/** Invariant: whoever comes through a proxy does not, whatever is said of him; the proxy itself may be on this machine. One that says nothing of itself looks like a client. */
function isOfThisMachine(peer: HttpPeer): boolean {
  if (peer.proxies !== undefined || FORWARDING.some(name => peer.header(name).length > 0)) return false
  return peer.ip === '127.0.0.1' || peer.ip === '::1'
}

/** Also while it is being started again: it was away, and is not back yet. */
function isAway({ state, lastFailure, calls }: ShownServer): boolean {
  return state === 'backoff' || state === 'failed' || (state === 'starting' && lastFailure !== undefined) || calls.breaker !== 'closed'
}

/** A server that is down degrades the whole: some calls fail, the others go on. */
function seeServers({ health, servers }: OperationsSource): HealthView & { readonly servers: readonly ShownServer[] } {
  const view = health.view()
  const list = servers()
  const isDegraded = view.status === 'ok' && list.some(isAway)
  return { ...view, status: isDegraded ? 'degraded' : view.status, servers: list }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...headersFor(response), 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
