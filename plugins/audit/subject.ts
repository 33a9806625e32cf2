// Who asked for what, as record text: written once for a call and used in its intent and its outcome.
// What is the same in every call of a session, or of a tool, is kept as one flat string: built anew for each call, its many small pieces cost
// more in garbage collection than all of the hashing.
import { hash } from 'node:crypto'
import type { Decision, Exchange, Payload, Principal, Resource } from 'mcpgw/plugin'
import { member, quote } from './json-text.ts'
import type { StoredText } from './stored-text.ts'

type Client = NonNullable<Exchange['client']>

interface Who {
  readonly principal: Principal | undefined
  readonly ip: string | undefined
  readonly transport: string
  readonly protocolVersion: string | undefined
  readonly described: string
}
interface Tool {
  readonly server: string
  readonly tool: string
  readonly described: string
}

const actors = new WeakMap<Principal, string>()
const sessions = new WeakMap<Client, Who>()
const tools = new WeakMap<Payload, Tool>()
// An open gateway gives every call the same decision.
let lastAllow: Decision | undefined
let lastAllowText = ''

/** Members from `parentCallId` to `decision`, with a leading comma. */
export function describeSubject(x: Exchange, decision: Decision | undefined, text: StoredText): string {
  const { direction } = x
  return (
    member('parentCallId', x.parentId) +
    (direction === 'to-client' ? ',"direction":"to-client"' : '') +
    recallWho(x, text) +
    // Of an unknown method the name is the caller's text, of any length.
    `,"action":${x.resource.kind === 'method' ? text.name(x.action) : quote(x.action)}` +
    describeResource(x.resource, text) +
    (decision === undefined ? '' : describeDecision(decision, x, text))
  )
}

/** A session has one client object, which nobody changes. */
function recallWho(x: Exchange, text: StoredText): string {
  const { client, principal, protocolVersion } = x
  const { ip, transport } = x.peer
  if (client === undefined) return describeWho(x, text)
  const known = sessions.get(client)
  if (
    known !== undefined &&
    known.principal === principal &&
    known.ip === ip &&
    known.transport === transport &&
    known.protocolVersion === protocolVersion &&
    text.isStorable(known.described)
  )
    return known.described
  const described = flatten(describeWho(x, text))
  sessions.set(client, { principal, ip, transport, protocolVersion, described })
  return described
}

function describeWho({ client, principal, peer, protocolVersion }: Exchange, text: StoredText): string {
  return (
    (principal === undefined ? ',"actor":null' : describeActor(principal)) +
    (client === undefined ? '' : `,"client":{"name":${text.name(client.name)},"version":${text.name(client.version)}}`) +
    (peer.ip === undefined ? '' : `,"source":{"ip":${quote(peer.ip)}}`) +
    `,"transport":"${peer.transport}"` +
    member('protocolVersion', protocolVersion)
  )
}

/** The same text in one piece. */
function flatten(text: string): string {
  return Buffer.from(text).toString()
}

function describeActor(principal: Principal): string {
  let known = actors.get(principal)
  if (known === undefined) {
    const { id, name, tenant, via } = principal
    const credential = member('keyId', via.keyId) + member('issuer', via.issuer)
    known = `,"tenant":${quote(tenant)},"actor":{"id":${quote(id)}${member('name', name)},"method":${quote(via.method)}${credential}}`
    actors.set(principal, known)
  }
  return known
}

function describeResource(resource: Resource, text: StoredText): string {
  switch (resource.kind) {
    case 'call':
      return recallTool(resource, text)
    case 'read':
      return `${member('server', resource.server)},"uri":${text.name(resource.uri)}`
    case 'prompt':
      return `${member('server', resource.server)},"prompt":${text.name(resource.prompt)}`
    case 'method':
      return member('server', resource.server)
    case 'list':
      return member('list', resource.of)
    case 'plumbing':
      return ''
  }
}

function recallTool({ server, tool, definition }: Resource & { kind: 'call' }, text: StoredText): string {
  const known = definition && tools.get(definition)
  if (known !== undefined && known.server === server && known.tool === tool && text.isStorable(known.described)) return known.described
  // A definition is public and not guessable in a way that matters, so a plain hash, comparable between logs.
  const digest = definition && `sha256:${hash('sha256', definition.bytes, 'hex')}`
  const described = flatten(`${member('server', server)},"tool":${text.name(tool)}${member('toolDefHash', digest)}`)
  if (definition !== undefined) tools.set(definition, { server, tool, described })
  return described
}

function describeDecision(decision: Decision, x: Exchange, text: StoredText): string {
  if (decision === lastAllow) return lastAllowText
  const duties = decision.obligations.length === 0 ? '' : `,"obligations":${JSON.stringify(decision.obligations.map(one => one.name))}`
  const why = member('code', decision.code) + (decision.reason === undefined ? '' : `,"reason":${text.name(decision.reason)}`)
  const basis = x.notes.size === 0 ? '' : describeBasis(x)
  const described = `,"decision":{"outcome":"${decision.outcome}","rules":${JSON.stringify(decision.by)}${duties}${why}${basis}}`
  if (why === '' && basis === '') {
    lastAllow = decision
    lastAllowText = described
  }
  return described
}

/** How it was decided, as the plugin that decided notes it in `plugin.decision`: the bundle, and the rest under the plugin's name. */
function describeBasis({ notes }: Exchange): string {
  for (const [key, value] of notes) {
    if (!key.endsWith('.decision') || typeof value !== 'object' || value === null) continue
    const { bundle, ...basis } = value as { readonly bundle?: unknown }
    const known = typeof bundle === 'string' ? member('bundle', bundle) : ''
    return `${known},${quote(key.slice(0, -'.decision'.length))}:${JSON.stringify(basis)}`
  }
  return ''
}
