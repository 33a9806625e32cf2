// Under what an answer is kept: whatever it may depend on, so that what differs in any of it never meets.
import { hash } from 'node:crypto'
import type { Exchange, JsonObject, JsonValue, Payload, Principal, Resource } from 'mcpgw/plugin'
import { canonicalText, ExactNumber, nameOf } from 'mcpgw/plugin'
import type { Scope } from './config.ts'

/** Digests: what was asked is not kept. */
export interface Keys {
  /** Of all in the tenant with the same rights; absent where the rule keeps nothing for them. */
  readonly shared: string | undefined
  readonly own: string
}

type Kept = Extract<Resource, { kind: 'call' | 'read' | 'prompt' }>

const META: ReadonlySet<string> = new Set(['_meta'])
/** What says how an answer is to come, or whose it is by his own word, and not what is asked for. Capabilities of the client count: a server may go by them. */
const ENVELOPE: ReadonlySet<string> = new Set([
  'progressToken',
  'traceparent',
  'tracestate',
  'baggage',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/logLevel',
])

/**
 * `basis`: of the decision; `generation`: counts what the server has changed. Decided params, not the sent ones: what is sent may still be masked,
 * and two requests that differ before that are two.
 */
export function keysOf(x: Exchange, resource: Kept, scope: Scope, basis: string, generation: number): Keys {
  const { principal } = x
  const params = x.params.value as JsonObject
  const common = JSON.stringify([
    principal?.tenant ?? '',
    principal === undefined ? '' : rightsOf(principal),
    basis,
    x.decision?.obligations ?? [],
    resource.kind,
    resource.server,
    resource.version ?? '',
    nameOf(resource),
    'definition' in resource && resource.definition !== undefined ? digestOf(resource.definition) : '',
    generation,
    // Names and uris in an answer are those that this endpoint shows, in words of this revision.
    x.protocolVersion ?? '',
    x.peer.path ?? '',
    canonicalText(without(params, META)),
    metaOf(params._meta),
  ])
  const whose = principal?.id ?? ''
  return {
    shared: scope === 'rights' ? hash('sha256', `rights\n${common}`, 'base64') : undefined,
    own: hash(
      'sha256',
      `${JSON.stringify(scope === 'session' ? ['session', whose, x.sessionId ?? ''] : ['principal', whose])}\n${common}`,
      'base64',
    ),
  }
}

function metaOf(meta: JsonValue | undefined): string {
  return meta === undefined ? '{}' : canonicalText(isObject(meta) ? without(meta, ENVELOPE) : meta)
}

const rights = new WeakMap<Principal, string>()

/** Roles and claims are what policies go by, and how somebody was authenticated. */
function rightsOf(principal: Principal): string {
  let known = rights.get(principal)
  if (known === undefined) {
    const { roles, claims, via } = principal
    known = canonicalText([[...new Set(roles)].sort(), claims as JsonObject, via.method, via.issuer ?? ''])
    rights.set(principal, known)
  }
  return known
}

const digests = new WeakMap<Payload, string>()

function digestOf(definition: Payload): string {
  let known = digests.get(definition)
  if (known === undefined) {
    known = hash('sha256', definition.bytes, 'base64')
    digests.set(definition, known)
  }
  return known
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)

const without = (members: JsonObject, names: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !names.has(name)))
