// Which era a message belongs to: its body says so. Headers mirror the body and are held against it; alone they decide nothing.
// Spec: 2026-07-28 basic/versioning and basic/transports/streamable-http, "Request Metadata", "Server Validation".
import type { ErrorCode } from '../errors.ts'
import { readHeaderValue } from '../mcp/header-value.ts'
import { Json } from '../mcp/json.ts'
import type { Message } from '../mcp/message.ts'
import { isLegacyVersion, LOG_LEVELS } from '../mcp/methods.ts'
import { type Envelope, isModernVersion, LATEST_MODERN, META, MODERN_VERSIONS, NAMED_BY } from '../mcp/modern.ts'
import type { JsonObject, Peer } from '../plugin/index.ts'

export type Inbound =
  | { readonly kind: 'legacy' }
  /** `mismatch`: what a header says otherwise than the body; such a message is refused, and recorded. */
  | { readonly kind: 'modern'; readonly envelope: Envelope; readonly mismatch?: string | undefined }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly text: string; readonly data?: JsonObject }

const LEGACY: Inbound = { kind: 'legacy' }
const VERSION = 'mcp-protocol-version'
const METHOD = 'mcp-method'
const NAME = 'mcp-name'
/** Of a client that did not say who it is. */
const NAMELESS = Json.of({ name: 'unknown', version: '0' })
const NOTHING = Json.of({})

export function classify(message: Message, peer: Peer): Inbound {
  const versions = peer.header(VERSION)
  const named = versions.find(version => !isLegacyVersion(version))
  switch (message.kind) {
    case 'request':
      return claimOf(message.params) === undefined
        ? withoutClaim(message.method, named, peer)
        : withClaim(message, versions, peer, checkRequest)
    case 'notification':
      if (claimOf(message.params) !== undefined) return withClaim(message, versions, peer, checkNotification)
      if (named === undefined || !isModernVersion(named)) return LEGACY
      return {
        kind: 'modern',
        envelope: { version: named, info: NAMELESS, capabilities: NOTHING },
        mismatch: versions.length > 1 ? twice(VERSION) : checkNotification(message, peer),
      }
    case 'batch':
      if (named === undefined && !message.items.some(item => item.type === 'object' && claimOf(item.get('params')) !== undefined))
        return LEGACY
      return { kind: 'refused', code: 'batch-refused', text: `revision ${LATEST_MODERN} has no batches` }
    default:
      // Spec: basic/patterns: clients do not send responses.
      if (named === undefined) return LEGACY
      return { kind: 'refused', code: 'invalid-request', text: `in revision ${LATEST_MODERN} a client sends no responses` }
  }
}

/** The version that a message claims, whatever it is; undefined where it claims none. */
export function claimOf(params: Json | undefined): Json | undefined {
  return params?.object('_meta')?.get(META.version)
}

function withoutClaim(method: string, named: string | undefined, peer: Peer): Inbound {
  if (named === undefined) return LEGACY
  if (!isModernVersion(named)) return peer.header('mcp-session-id').length > 0 ? LEGACY : unsupported(named)
  // A handshake is of the older revisions, whatever the header says.
  if (method === 'initialize') return noInitialize(named)
  return { kind: 'refused', code: 'invalid-params', text: `${VERSION} is ${named}, but _meta has no ${META.version}` }
}

type Call = Extract<Message, { kind: 'request' | 'notification' }>

function withClaim(
  message: Call,
  versions: readonly string[],
  peer: Peer,
  check: (message: Call, peer: Peer) => string | undefined,
): Inbound {
  const { method, params } = message
  const claim = claimOf(params)!
  const version = claim.type === 'string' ? (claim.value as string) : undefined
  const named = versions.find(header => !isLegacyVersion(header))
  if (method === 'initialize' && (version === undefined || isLegacyVersion(version)))
    return named === undefined ? LEGACY : noInitialize(named)
  const envelope = version === undefined ? `${META.version} is no string` : readEnvelope(version, params!.get('_meta')!, message.kind)
  if (typeof envelope === 'string') return { kind: 'refused', code: 'invalid-params', text: envelope }
  const [header, ...others] = versions
  const isOther = header !== undefined && header !== version
  const mismatch = isOther ? `${VERSION} is ${shorten(header)}, and the body says ${shorten(version!)}` : undefined
  if (!isModernVersion(version!)) return mismatch === undefined ? unsupported(version!) : mismatched(mismatch)
  if (mismatch !== undefined) return { kind: 'modern', envelope, mismatch }
  return { kind: 'modern', envelope, mismatch: others.length > 0 ? twice(VERSION) : check(message, peer) }
}

/** Spec: basic/index, "Per-request protocol fields". A text says what is wrong. */
function readEnvelope(version: string, meta: Json, kind: Call['kind']): Envelope | string {
  const info = meta.get(META.client)
  const capabilities = meta.get(META.capabilities)
  const logLevel = meta.get(META.logLevel)?.value
  if (capabilities === undefined && kind === 'request') return `_meta has no ${META.capabilities}`
  if (capabilities !== undefined && capabilities.type !== 'object') return `${META.capabilities} is no object`
  if (info !== undefined && info.type !== 'object') return `${META.client} is no object`
  if (logLevel !== undefined && (typeof logLevel !== 'string' || !LOG_LEVELS.includes(logLevel)))
    return `${META.logLevel} is one of ${LOG_LEVELS.join(', ')}`
  return { version, info: info ?? NAMELESS, capabilities: capabilities ?? NOTHING, logLevel }
}

function checkRequest({ method, params }: Call, peer: Peer): string | undefined {
  if (peer.transport !== 'http') return undefined
  if (peer.header(VERSION).length === 0) return `${VERSION} is missing`
  const methods = peer.header(METHOD)
  if (methods.length !== 1) return methods.length === 0 ? `${METHOD} is missing` : twice(METHOD)
  if (methods[0] !== method) return `${METHOD} is ${shorten(methods[0]!)}, and the body says ${shorten(method)}`
  const member = NAMED_BY.get(method)
  const names = peer.header(NAME)
  if (names.length > 1) return twice(NAME)
  if (member === undefined) return undefined
  const said = params?.string(member)
  if (said === undefined) return names.length === 0 ? undefined : `${NAME} is there, and the body has no params.${member}`
  if (names.length === 0) return `${NAME} is missing`
  const name = readHeaderValue(names[0]!)
  if (name === undefined) return `${NAME} is badly encoded`
  return name === said ? undefined : `${NAME} is ${shorten(name)}, and params.${member} is ${shorten(said)}`
}

/** The revision says nothing of headers of notifications: where they are there, they must be true. */
function checkNotification({ method }: Call, peer: Peer): string | undefined {
  const methods = peer.header(METHOD)
  if (methods.length > 1) return twice(METHOD)
  return methods.length === 0 || methods[0] === method
    ? undefined
    : `${METHOD} is ${shorten(methods[0]!)}, and the body says ${shorten(method)}`
}

function unsupported(requested: string): Inbound {
  return {
    kind: 'refused',
    code: 'unsupported-version',
    text: 'unsupported protocol version',
    data: { supported: [...MODERN_VERSIONS], requested: shorten(requested) },
  }
}

function noInitialize(named: string): Inbound {
  return mismatched(`${VERSION} is ${shorten(named)}, which has no initialize`)
}

function mismatched(text: string): Inbound {
  return { kind: 'refused', code: 'header-mismatch', text }
}

function twice(header: string): string {
  return `${header} is there more than once`
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}
