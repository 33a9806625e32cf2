// Who makes this request: one credential, tried against the configured methods; a connection proves nothing but its certificate.
import {
  type Awaitable,
  type Deny,
  deny,
  type Exchange,
  type Identify,
  type Peer,
  type PeerCertificate,
  pass,
  type RequestVerdict,
} from 'mcpgw/plugin'
import { goOn } from './at-once.ts'
import { type Credential, readCredential } from './credential.ts'

export type PresentedCredential = Extract<Credential, { value: string }>

/**
 * `unknown`: not mine, or nobody's. `closed`: mine, and it does not hold (any more); `why` is for the record only. `unavailable`: what it
 * would be checked with is not there now.
 */
export type MethodAnswer = Identify | { readonly kind: 'unknown' } | { readonly kind: 'closed' | 'unavailable'; readonly why: string }

/** One way of proving who one is. A throw refuses the request. */
export interface Method {
  readonly name: string
  /** `now`: ms since 1970. */
  identify(credential: PresentedCredential, now: number, peer: Peer): Awaitable<MethodAnswer>
}

/** What a certificate says of who makes a request. `transport`: it is no credential, whatever else the request brings. */
export type CertificateAnswer = Identify | { readonly kind: 'closed'; readonly why: string } | { readonly kind: 'transport' }
export type CertificateMethod = (certificate: PeerCertificate) => CertificateAnswer

/** Other gateways, which sign each request and say for whom they ask. */
export interface GatewayMethod {
  identify(statement: string, peer: Peer, now: number): Awaitable<Identify | Deny>
  /** The gateway whose callers alone have ids like this one. */
  ownerOf(id: string): string | undefined
}

/** What a client must bring to the endpoint it asked, as the value of `WWW-Authenticate`; undefined where there is nothing to say. */
export type Challenge = (path: string | undefined, error?: 'invalid_token') => string | undefined

const manyCredentials = Object.freeze(deny('many-credentials', 'more than one credential'))

/** Ids of the callers of other gateways are theirs alone: whoever else has one is refused. */
export function authenticate(
  exchange: Exchange,
  methods: readonly Method[],
  local: Identify,
  now: number,
  challenge: Challenge = () => undefined,
  certificates?: CertificateMethod,
  gateways?: GatewayMethod,
): Awaitable<RequestVerdict> {
  const found = findOut(exchange, methods, local, now, challenge, certificates, gateways)
  if (gateways === undefined) return found
  return goOn(found, verdict => {
    if (verdict.kind !== 'identify' || verdict.principal.via.method === 'gateway') return verdict
    const owner = gateways.ownerOf(verdict.principal.id)
    return owner === undefined
      ? verdict
      : deny('bad-credential', 'authentication failed', { detail: `an id of callers of gateway ${owner}` })
  })
}

/** A certificate that counts as a credential is the only one; otherwise the first method that knows the credential has the word. */
function findOut(
  exchange: Exchange,
  methods: readonly Method[],
  local: Identify,
  now: number,
  challenge: Challenge,
  certificates: CertificateMethod | undefined,
  gateways: GatewayMethod | undefined,
): Awaitable<RequestVerdict> {
  const { direction, peer } = exchange
  // A server's request to the client belongs to the call that it was made in; the kernel carries that principal over.
  if (direction === 'to-client') return pass
  if (peer.transport === 'stdio') return local
  const credential = readCredential(peer)
  const proven = peer.certificate && certificates?.(peer.certificate)
  // Invariant: one public answer for a credential that is unknown, malformed, expired, revoked or disabled.
  const refuse = (detail: string): Deny =>
    deny('bad-credential', 'authentication failed', { detail, ...challenging(challenge(peer.path, 'invalid_token')) })
  if (proven !== undefined && proven.kind !== 'transport') {
    if (credential.kind !== 'none') return manyCredentials
    return proven.kind === 'identify' ? proven : refuse(proven.why)
  }
  switch (credential.kind) {
    case 'none':
      return deny('unauthenticated', 'authentication required', challenging(challenge(peer.path)))
    case 'many':
      return manyCredentials
    case 'malformed':
      return refuse(credential.why)
    case 'gateway':
      return gateways === undefined ? refuse('no gateway is known here') : gateways.identify(credential.statement, peer, now)
    default:
      return tryMethods(methods, method => method.identify(credential, now, peer), refuse)
  }
}

function tryMethods(
  [method, ...others]: readonly Method[],
  ask: (method: Method) => Awaitable<MethodAnswer>,
  refuse: (detail: string) => Deny,
): Awaitable<RequestVerdict> {
  if (method === undefined) return refuse('unknown credential')
  const conclude = (answer: MethodAnswer): Awaitable<RequestVerdict> => {
    switch (answer.kind) {
      case 'identify':
        return answer
      case 'closed':
        return refuse(answer.why)
      case 'unavailable':
        return deny('plugin-failed', 'the gateway could not check this request', { detail: answer.why })
      case 'unknown':
        return tryMethods(others, ask, refuse)
    }
  }
  return goOn(ask(method), conclude)
}

function challenging(challenge: string | undefined): { challenge?: string } {
  return challenge === undefined ? {} : { challenge }
}
