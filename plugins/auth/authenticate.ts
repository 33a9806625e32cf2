// Who makes this request: one credential, tried against the configured methods; a connection proves nothing.
import { type Deny, deny, type Exchange, type Identify, pass, type RequestVerdict } from 'mcpgw/plugin'
import { type Credential, readCredential } from './credential.ts'

export type PresentedCredential = Extract<Credential, { value: string }>

/** `unknown`: not mine, or nobody's. `closed`: mine, and it no longer holds; `why` is for the record only. */
export type MethodAnswer = Identify | { readonly kind: 'unknown' } | { readonly kind: 'closed'; readonly why: string }

/** One way of proving who one is. A throw refuses the request. */
export interface Method {
  readonly name: string
  /** `now`: ms since 1970. */
  identify(credential: PresentedCredential, now: number): MethodAnswer
}

const unauthenticated = Object.freeze(deny('unauthenticated', 'authentication required'))
const manyCredentials = Object.freeze(deny('many-credentials', 'more than one credential'))
// Invariant: one public answer for a credential that is unknown, malformed, expired, revoked or disabled.
const badReason = 'authentication failed'
const unknownCredential = Object.freeze(deny('bad-credential', badReason, { detail: 'unknown credential' }))

/** The first method that knows the credential has the word. */
export function authenticate(exchange: Exchange, methods: readonly Method[], local: Identify, now: number): RequestVerdict {
  // A server's request to the client belongs to the call that it was made in; the kernel carries that principal over.
  if (exchange.direction === 'to-client') return pass
  if (exchange.peer.transport === 'stdio') return local
  const credential = readCredential(exchange.peer)
  switch (credential.kind) {
    case 'none':
      return unauthenticated
    case 'many':
      return manyCredentials
    case 'malformed':
      return refuse(credential.why)
    default:
      return tryMethods(credential, methods, now)
  }
}

function tryMethods(credential: PresentedCredential, methods: readonly Method[], now: number): RequestVerdict {
  for (const method of methods) {
    const answer = method.identify(credential, now)
    if (answer.kind === 'identify') return answer
    if (answer.kind === 'closed') return refuse(answer.why)
  }
  return unknownCredential
}

function refuse(detail: string): Deny {
  return deny('bad-credential', badReason, { detail })
}
