// Who asked for what, as record text: written once for a call and used in its intent and its outcome.
import { hash } from 'node:crypto'
import type { Decision, Exchange, Payload, Principal, Resource } from 'mcpgw/plugin'
import { member, quote } from './json-text.ts'
import type { StoredText } from './stored-text.ts'

const actors = new WeakMap<Principal, string>()
const definitions = new WeakMap<Payload, string>()

/** Members from `parentCallId` to `decision`, with a leading comma. */
export function describeSubject(x: Exchange, decision: Decision | undefined, text: StoredText): string {
  const { peer, client, resource } = x
  return (
    member('parentCallId', x.parentId) +
    (x.direction === 'to-client' ? ',"direction":"to-client"' : '') +
    (x.principal === undefined ? ',"actor":null' : describeActor(x.principal)) +
    (client === undefined ? '' : `,"client":{"name":${text.name(client.name)},"version":${text.name(client.version)}}`) +
    (peer.ip === undefined ? '' : `,"source":{"ip":${quote(peer.ip)}}`) +
    `,"transport":"${peer.transport}"` +
    member('protocolVersion', x.protocolVersion) +
    // Of an unknown method the name is the caller's text, of any length.
    `,"action":${resource.kind === 'method' ? text.name(x.action) : quote(x.action)}` +
    describeResource(resource, text) +
    (decision === undefined ? '' : describeDecision(decision, text))
  )
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
      return `${member('server', resource.server)},"tool":${text.name(resource.tool)}${member('toolDefHash', digestDefinition(resource.definition))}`
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

/** A definition is public and not guessable in a way that matters, so a plain hash, comparable between logs. */
function digestDefinition(definition: Payload | undefined): string | undefined {
  if (definition === undefined) return undefined
  let known = definitions.get(definition)
  if (known === undefined) {
    known = `sha256:${hash('sha256', definition.bytes, 'hex')}`
    definitions.set(definition, known)
  }
  return known
}

function describeDecision(decision: Decision, text: StoredText): string {
  const duties = decision.obligations.length === 0 ? '' : `,"obligations":${JSON.stringify(decision.obligations.map(one => one.name))}`
  const why = member('code', decision.code) + (decision.reason === undefined ? '' : `,"reason":${text.name(decision.reason)}`)
  return `,"decision":{"outcome":"${decision.outcome}","rules":${JSON.stringify(decision.by)}${duties}${why}}`
}
