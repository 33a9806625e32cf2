// What a plugin sees of one call: everything the gateway knows of it, read-only, from arrival until it is settled.
import type { Payload } from './json.ts'

/** The network party before it is an identity. */
export interface Peer {
  readonly transport: 'http' | 'stdio'
  /** Address of the client, canonical form: of the socket, or what a trusted proxy says of it; absent on stdio. */
  readonly ip?: string
  /** The trusted proxies it came through, nearest first, canonical form; absent where there was none. */
  readonly proxies?: readonly string[]
  /** A trusted proxy says who it is in words that cannot be read: `ip` is that of the proxy. */
  readonly unclear?: true
  /** What the client proved in the TLS handshake, where that was asked of it; only one that a trusted authority has signed is here. */
  readonly certificate?: PeerCertificate
  /** Of the endpoint that was asked, over HTTP: `/mcp`, or `/mcp/SERVER` for one server. */
  readonly path?: string
  /** What another gateway has signed is held against this; absent where the request has no header `mcpgw-caller`. */
  readonly request?: PeerRequest
  /** Every value of a request header as received, in order; empty where absent and on stdio. `name` in lower case. */
  header(name: string): readonly string[]
}

/** An HTTP request as it came. */
export interface PeerRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** SHA-256 of the body, base64url. */
  readonly digest: string
}

export interface PeerCertificate {
  /** SHA-256 of the certificate, lower case hex. */
  readonly fingerprint: string
  /** Common name; absent where there is none. */
  readonly commonName?: string
  /** Subject alternative names as they stand there: `DNS:host`, `URI:spiffe://...`, `email:...`. */
  readonly names: readonly string[]
}

/** The authenticated caller. `roles` empty means no role at all. */
export interface Principal {
  readonly id: string
  readonly name?: string
  readonly roles: readonly string[]
  readonly tenant: string
  readonly claims: Readonly<Record<string, unknown>>
  /** How it was authenticated: the credential's public id, never the credential. */
  readonly via: {
    readonly method: string
    readonly keyId?: string
    readonly issuer?: string
  }
  /** So many requests his credential is good for; who has one is refused where no plugin discharges `rate`. */
  readonly rate?: Rate
}

/** `most` requests in `perMs` (milliseconds), counted together with all that have the same `of`: an id of a credential. */
export interface Rate {
  readonly most: number
  readonly perMs: number
  readonly of: string
}

/**
 * What the exchange is about. `server` is the configured id of the MCP server, `version` the one that this caller has, where its config names any.
 * - `call`, `read`, `prompt`: tools/call, resources/read (and subscribe), prompts/get. A completion is about its prompt or resource,
 *   a request about a task about the call that made it.
 * - `method`: anything else that reaches a server or a client and needs a decision (sampling, elicitation, unknown methods).
 * - `list`: a merged list; it is narrowed, not denied. - `plumbing`: initialize, ping, logging, cancellation.
 */
export type Resource =
  | {
      readonly kind: 'call'
      readonly server: string
      readonly version?: string
      readonly tool: string
      readonly definition?: Payload
      /** A tool of the gateway itself whose answer holds a secret that is shown this once: it is for nobody but the caller. */
      readonly secret?: true
      /** Of a request about a task: the arguments of the call that made it, which has been decided before. */
      readonly task?: { readonly args: Payload }
    }
  | { readonly kind: 'read'; readonly server: string; readonly version?: string; readonly uri: string }
  | {
      readonly kind: 'prompt'
      readonly server: string
      readonly version?: string
      readonly prompt: string
      readonly definition?: Payload
    }
  | {
      readonly kind: 'method'
      readonly server: string
      readonly version?: string
      readonly method: string
    }
  | {
      readonly kind: 'list'
      readonly of: 'tools' | 'resources' | 'templates' | 'prompts'
    }
  | { readonly kind: 'plumbing' }

/** A resource of one server, that is decided upon. */
export type Governed = Extract<Resource, { readonly server: string }>

/** As its server calls it: tool, uri, prompt or method. */
export function nameOf(resource: Governed): string {
  switch (resource.kind) {
    case 'call':
      return resource.tool
    case 'read':
      return resource.uri
    case 'prompt':
      return resource.prompt
    case 'method':
      return resource.method
  }
}

/** A duty attached to an allow: `redact("$.ssn")` is `{name: 'redact', args: [{value: '$.ssn'}]}`. */
export interface Obligation {
  readonly name: string
  readonly args: readonly {
    readonly name?: string
    readonly value: string | number
  }[]
}

/** The kernel's sealed answer to "may this happen". `by` names plugin and rule, `default` where none allowed. */
export interface Decision {
  readonly outcome: 'allow' | 'deny'
  readonly by: readonly string[]
  readonly obligations: readonly Obligation[]
  /** Deny only: the code of `mcpgw explain CODE` and the public text. */
  readonly code?: string
  readonly reason?: string
}

/**
 * How an exchange ended. `isToolError` is the tool's own `isError`; the other layers are kinds of their own. `isInputRequired`: the
 * answer asks the client for something, and the request will be made again: what counts completed calls leaves it out.
 */
export type Outcome =
  | {
      readonly kind: 'answered'
      readonly answer: Answer
      readonly isToolError: boolean
      readonly isInputRequired?: boolean
    }
  | { readonly kind: 'denied'; readonly decision: Decision }
  | {
      readonly kind: 'failed'
      readonly cause: 'upstream-error' | 'timeout' | 'crashed' | 'withheld' | 'internal'
      readonly code: string
      readonly answer?: Answer
    }
  | {
      readonly kind: 'cancelled'
      /** `credential`: the one that the caller came with holds no longer. */
      readonly by: 'client' | 'server' | 'shutdown' | 'credential'
    }

/** What came back: a JSON-RPC result, or an error object `{code, message, data?}`. */
export interface Answer {
  readonly kind: 'result' | 'error'
  readonly payload: Payload
  /** Of a result of tools/call, set by the gateway: the tool's own `isError`, as the server gave it. */
  readonly isToolError?: boolean
  /** Set by the gateway where the result asks for input (2026-07-28): no end of the call, but a step on its way. */
  readonly isInputRequired?: boolean
  /** Set where the gateway made the error itself (time-out, crash, refusal): its code in the error table. */
  readonly code?: string
  /** The payload as it came, where an obligation or a hook has changed it since: whoever keeps an answer keeps this, for it will pass them all again. */
  readonly given?: Payload
}

export interface Exchange {
  /** Unique over all boots of all instances; sorts by time. */
  readonly id: string
  /** For a request of a server to the client: the call during which it was made, where that is known. */
  readonly parentId?: string | undefined
  readonly direction: 'to-server' | 'to-client'
  /** MCP method, e.g. `tools/call`. */
  readonly action: string
  readonly resource: Resource
  readonly peer: Peer
  readonly client?: { readonly name: string; readonly version: string } | undefined
  readonly protocolVersion?: string | undefined
  readonly sessionId?: string | undefined
  readonly principal?: Principal | undefined
  readonly state: 'received' | 'identified' | 'decided' | 'sealed' | 'settled'
  /** The decided params (`{}` where the message had none). After the seal they never change. */
  readonly params: Payload
  /** What is sent: `params`, or what maskers derived from it. */
  readonly sent: Payload
  /** For `call` and `prompt`: the `arguments` of `params` and of `sent`, of a completion those in its `context`; `{}` where absent. */
  readonly args: Payload
  readonly sentArgs: Payload
  readonly decision?: Decision | undefined
  /** True where no deciding plugin is loaded: everything is let through, and every record says so. */
  readonly open: boolean
  /** Of several instances of the server, the one that it was sent to, from 1; known once it has been. */
  readonly instance?: number | undefined
  /** Ids in lower-case hex: of the trace that it belongs to, by its `_meta.traceparent` or begun by telemetry, and of the span of whoever sent it. Anybody may name any. */
  readonly trace?: { readonly traceId: string; readonly parentSpanId?: string } | undefined
  /** Wall clock, ms since 1970, and monotonic clock, ms; both taken on arrival. */
  readonly at: number
  readonly mono: number
  readonly signal: AbortSignal
  /** Facts that plugins leave for others and for the record (e.g. `redactions`); keys are `plugin.name`. */
  readonly notes: ReadonlyMap<string, unknown>
  note(key: string, value: unknown): void
}
