// Who asked for what, as record text: what is personal apart from the rest, for it is sealed.
// What is the same in every call of a session, or of a tool, is kept as one flat string: built anew for each call, its many small pieces cost
// more in garbage collection than all of the hashing.
import { hash } from 'node:crypto'
import type { Decision, Exchange, Operator, Payload, Principal, Resource } from 'mcpgw/plugin'
import { describeDecision } from './decision-text.ts'
import { member, quote } from './json-text.ts'
import type { StoredText } from './stored-text.ts'
import type { Subject, Subjects, Who } from './subjects.ts'

type Client = NonNullable<Exchange['client']>

interface Actor {
  readonly subject: Subject
  readonly tenant: string
  /** Sealed. */
  readonly described: string
}
/** Of one call. All but `subject` are members with a leading comma. */
export interface About {
  readonly subject: Subject
  /** What every record of the call says. */
  readonly short: string
  /** What its first record says beside that. */
  readonly more: string
  /** To be sealed: who, from where, and by what. */
  readonly personal: string
}
interface Tool {
  readonly server: string
  readonly version: string | undefined
  readonly tool: string
  /** As it is recorded. */
  readonly name: string
  readonly described: string
  /** Of its definition. */
  readonly digest: string
}

const clients = new WeakMap<Client, string>()
const tools = new WeakMap<Payload, Tool>()

export interface Describer {
  describe(x: Exchange, decision: Decision | undefined): About
  /** False where who it is about was erased, or may have been: nothing more is sealed for them. */
  isCurrent(subject: Subject): boolean
  /** Who acts on the gateway itself; `short`: where it is a caller, whose. */
  operator(actor: string | Operator): Pick<About, 'subject' | 'short' | 'personal'>
  /** Whom something is about that they did not do. */
  person(who: Who): Subject
  /** Somebody who has not said who he is. */
  stranger(ip: string | undefined): Pick<About, 'subject' | 'personal'>
}

export function createDescriber(subjects: Subjects, text: StoredText): Describer {
  const actors = new WeakMap<Principal, Actor>()
  let anonymous: Actor | undefined

  function actorOf(principal: Principal | undefined): Actor {
    if (principal === undefined) return nobody()
    let known = actors.get(principal)
    if (known === undefined || !subjects.isCurrent(known.subject)) {
      const { id, name, tenant, via } = principal
      const credential = member('keyId', via.keyId) + member('issuer', via.issuer)
      const described = `,"actor":{"id":${quote(id)}${member('name', name)},"method":${quote(via.method)}${credential}}`
      known = { subject: subjects.of({ tenant, id }), tenant: `,"tenant":${quote(tenant)}`, described }
      actors.set(principal, known)
    }
    return known
  }

  function nobody(): Actor {
    if (anonymous === undefined || !subjects.isCurrent(anonymous.subject))
      anonymous = { subject: subjects.of({ tenant: '', id: '' }), tenant: '', described: ',"actor":null' }
    return anonymous
  }

  return {
    describe(x, decision) {
      const { subject, tenant, described } = actorOf(x.principal)
      const { trace } = x
      return {
        subject,
        short:
          // Of an unknown method the name is the caller's text, of any length.
          `${tenant},"subject":"${subject.id}","action":${x.resource.kind === 'method' ? text.name(x.action) : quote(x.action)}` +
          describeResource(x.resource, text) +
          member('traceId', trace?.traceId) +
          member('parentSpanId', trace?.parentSpanId),
        more:
          member('parentCallId', x.parentId) +
          (x.direction === 'to-client' ? ',"direction":"to-client"' : '') +
          describeWay(x) +
          describeDefinition(x.resource, text) +
          (decision === undefined ? '' : describeDecision(decision, x, text)),
        personal: described + describeSource(x.peer) + recallClient(x, text),
      }
    },
    isCurrent: subject => subjects.isCurrent(subject),
    person: who => subjects.of(who),
    stranger(ip) {
      const { subject, described } = nobody()
      return { subject, personal: described + describeSource({ ip }) }
    },
    operator(actor) {
      const { id, uid, tenant }: Operator = typeof actor === 'string' ? { id: actor } : actor
      if (tenant !== undefined)
        return {
          subject: subjects.of({ tenant, id }),
          short: tenant === '' ? '' : `,"tenant":${quote(tenant)}`,
          personal: `,"actor":{"id":${quote(id)}}`,
        }
      const user = typeof actor === 'string' ? '' : ',"method":"os-user"'
      return {
        subject: subjects.of({ tenant: '', id }),
        short: '',
        personal: `,"actor":{"id":${text.name(id)}${user}${uid === undefined ? '' : `,"uid":${Math.trunc(uid)}`}}`,
      }
    },
  }
}

function describeSource({ ip, proxies }: { readonly ip?: string | undefined; readonly proxies?: readonly string[] }): string {
  if (ip === undefined) return ''
  return `,"source":{"ip":${quote(ip)}${proxies === undefined ? '' : `,"viaProxy":${JSON.stringify(proxies)}`}}`
}

function describeWay({ peer, protocolVersion }: Exchange): string {
  return `,"transport":"${peer.transport}"${member('protocolVersion', protocolVersion)}`
}

/** What a client calls itself is the caller's text, and may name somebody. A session has one client object, which nobody changes. */
function recallClient({ client }: Exchange, text: StoredText): string {
  if (client === undefined) return ''
  const known = clients.get(client)
  if (known !== undefined && text.isStorable(known)) return known
  const described = flatten(`,"client":{"name":${text.name(client.name)},"version":${text.name(client.version)}}`)
  clients.set(client, described)
  return described
}

/** The same text in one piece. */
function flatten(text: string): string {
  return Buffer.from(text).toString()
}

function describeResource(resource: Resource, text: StoredText): string {
  switch (resource.kind) {
    case 'call':
      return recallTool(resource, text).described
    case 'read':
      return `${describeServer(resource)},"uri":${text.name(resource.uri)}`
    case 'prompt':
      return `${describeServer(resource)},"prompt":${text.name(resource.prompt)}`
    case 'method':
      return describeServer(resource)
    case 'list':
      return member('list', resource.of)
    case 'plumbing':
      return ''
  }
}

function describeServer({ server, version }: { readonly server: string; readonly version?: string }): string {
  return member('server', server) + member('version', version)
}

/** Tool, prompt or uri, as it is recorded. */
export function nameTarget(resource: Resource, text: StoredText): string | undefined {
  switch (resource.kind) {
    case 'call':
      return recallTool(resource, text).name
    case 'read':
      return JSON.parse(text.name(resource.uri)) as string
    case 'prompt':
      return JSON.parse(text.name(resource.prompt)) as string
    default:
      return undefined
  }
}

function recallTool(resource: Resource & { kind: 'call' }, text: StoredText): Tool {
  const { server, version, tool, definition } = resource
  const known = definition && tools.get(definition)
  const isKnown = known?.server === server && known.version === version && known.tool === tool
  if (isKnown && text.isStorable(known.described)) return known
  // A definition is public and not guessable in a way that matters, so a plain hash, comparable between logs.
  const digest = member('toolDefHash', definition && `sha256:${hash('sha256', definition.bytes, 'hex')}`)
  const name = text.name(tool)
  const described = {
    server,
    version,
    tool,
    name: JSON.parse(name) as string,
    described: flatten(`${describeServer(resource)},"tool":${name}`),
    digest,
  }
  if (definition !== undefined) tools.set(definition, described)
  return described
}

function describeDefinition(resource: Resource, text: StoredText): string {
  return resource.kind === 'call' ? recallTool(resource, text).digest : ''
}
