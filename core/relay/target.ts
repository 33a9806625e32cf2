// Where a request goes: which server, under which name there, and what it is about. By lookup, never by splitting a name.
import type { Session } from '../downstream/session.ts'
import type { ErrorCode } from '../errors.ts'
import { Json } from '../mcp/json.ts'
import { LISTS, type ListKind } from '../mcp/methods.ts'
import { TASKS_EXTENSION } from '../mcp/modern.ts'
import { serversOf } from '../mcp/names.ts'
import { isAmbiguous, plainUri } from '../mcp/plain-uri.ts'
import { matchesTemplate, schemeOf } from '../mcp/uri-template.ts'
import type { Awaitable, JsonObject, Resource } from '../plugin/index.ts'
import { type Entry, readAlias } from './catalog.ts'
import type { Catalogs } from './catalogs.ts'
import type { Handles } from './handles.ts'
import { ownTask } from './task-ids.ts'
import type { Tasks } from './tasks.ts'

export interface Target {
  readonly server: string
  /** Of the server, where it has any. */
  readonly version?: string | undefined
  readonly resource: Resource
  /** Of a resource: as its server calls it. */
  readonly uri?: string
  /** Of a tool: as its server gave it. */
  readonly definition?: Json
  /** Params in the server's own names; applied to what is sent, after masking. */
  toServer(params: Json): Json
}

/** `resource` says what was asked for, for the record. */
export interface NoTarget {
  readonly code: ErrorCode
  readonly resource: Resource
  /** The server that could have it does not answer, so nobody knows whether it does. */
  readonly isAway?: boolean
  /** What the specification wants said of it. */
  readonly data?: JsonObject
}

const [TOOLS, RESOURCES, TEMPLATES, PROMPTS] = LISTS as readonly [ListKind, ListKind, ListKind, ListKind]
const NOBODY: readonly string[] = []
const same = (params: Json): Json => params

/** What a caller learns who may not even know that there is such a thing. */
export function unknownAs(method: string, { kind }: Resource): ErrorCode {
  if (kind === 'prompt') return 'unknown-prompt'
  if (kind === 'read') return 'unknown-resource'
  return method === 'tools/call' ? 'unknown-tool' : 'invalid-params'
}

export function findTarget(
  catalogs: Catalogs,
  handles: Handles,
  tasks: Tasks,
  session: Session,
  method: string,
  params: Json,
): Awaitable<Target | NoTarget> {
  switch (method) {
    case 'tools/call':
      return findNamed(catalogs, session, TOOLS, params.string('name'), 'unknown-tool')
    case 'prompts/get':
      return findNamed(catalogs, session, PROMPTS, params.string('name'), 'unknown-prompt')
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return findUri(catalogs, session, params.string('uri'))
    case 'completion/complete':
      return findRef(catalogs, session, params.get('ref'))
    case 'tasks/get':
    case 'tasks/result':
    case 'tasks/cancel':
      return findTask(handles, tasks, session, method, params.string('taskId'))
    case 'tasks/update':
      return session.era === 'modern' ? findTask(handles, tasks, session, method, params.string('taskId')) : findAny(session, method)
    default:
      return findAny(session, method)
  }
}

function findNamed(
  catalogs: Catalogs,
  session: Session,
  kind: ListKind,
  publicName: string | undefined,
  unknown: 'unknown-tool' | 'unknown-prompt',
): Awaitable<Target | NoTarget> {
  const resourceOf = (server: string, name: string, definition?: Json): Resource =>
    kind === TOOLS
      ? { kind: 'call', server, tool: name, ...(definition && { definition }) }
      : { kind: 'prompt', server, prompt: name, ...(definition && { definition }) }
  if (publicName === undefined) return { code: 'invalid-params', resource: resourceOf('', '') }
  const targetOf = ({ server, version, name, definition }: Entry): Target => ({
    server,
    version,
    resource: resourceOf(server, name, definition),
    ...(kind === TOOLS && { definition }),
    toServer: name === publicName ? same : params => params.with({ name: Json.of(name) }),
  })
  const entry = catalogs.peek(session, kind, publicName)
  if (entry !== undefined) return targetOf(entry)
  return lookUp(catalogs, session, kind, publicName).then(({ found, hint, isAway }) =>
    found === undefined ? { code: unknown, resource: resourceOf(hint ?? '', publicName), isAway } : targetOf(found),
  )
}

async function lookUp(
  catalogs: Catalogs,
  session: Session,
  kind: ListKind,
  publicName: string,
): Promise<{ found: Entry | undefined; hint: string | undefined; isAway: boolean }> {
  const { view } = session
  const all = view.servers.map(server => server.id)
  const candidates = view.naming === 'qualified' ? serversOf(publicName, all) : all
  let catalog = await catalogs.known(session, kind, candidates)
  // A server that does not tell of changes may have a new tool since.
  if (!catalog.byName.has(publicName) && candidates.length > 0) catalog = await catalogs.fetch(session, kind, candidates)
  return {
    found: catalog.byName.get(publicName),
    hint: view.naming === 'qualified' ? candidates[0] : undefined,
    isAway: candidates.length > 0 && !catalog.sources.some(source => candidates.includes(source.server)),
  }
}

async function findUri(catalogs: Catalogs, session: Session, publicUri: string | undefined): Promise<Target | NoTarget> {
  if (publicUri === undefined) return { code: 'invalid-params', resource: { kind: 'read', server: '', uri: '' } }
  const alias = session.view.only === undefined ? readAlias(publicUri) : undefined
  const uri = alias?.uri ?? publicUri
  const server = alias?.server ?? (await serverOfUri(catalogs, session, publicUri))
  // What is no server of ours is a text of the caller's, and stays a part of the uri.
  if (server === undefined || isAmbiguous(uri) || !session.view.servers.some(one => one.id === server)) {
    return { code: 'unknown-resource', resource: { kind: 'read', server: '', uri: publicUri } }
  }
  return targetOfUri(server, uri, publicUri)
}

/** Invariant: decided upon is what the server will make of the uri. */
function targetOfUri(server: string, uri: string, publicUri: string): Target {
  return {
    server,
    uri,
    resource: { kind: 'read', server, uri: plainUri(uri) },
    toServer: uri === publicUri ? same : params => params.with({ uri: Json.of(uri) }),
  }
}

/** Listed, else by template, else the one server whose resources have this scheme, else the one that has resources at all. */
async function serverOfUri(catalogs: Catalogs, session: Session, uri: string): Promise<string | undefined> {
  if (session.view.only !== undefined) return session.view.only
  const all = session.view.servers.map(server => server.id)
  const plain = plainUri(uri)
  // What has been listed is found without asking: a server that hangs holds up nobody's reading from another.
  for (const asked of [NOBODY, all]) {
    const resources = await catalogs.known(session, RESOURCES, asked)
    const listed = resources.byName.get(uri)
    if (listed !== undefined) return listed.server
    const templates = await catalogs.known(session, TEMPLATES, asked)
    const fitting = new Set(templates.entries.filter(entry => matchesTemplate(entry.name, plain)).map(entry => entry.server))
    // Of a template that only some servers were asked for, another may have it too: who asked before must not tell where a uri leads.
    if (fitting.size === 1 && (asked === all || templates.sources.length === all.length)) return [...fitting][0]
    if (asked === all) return byScheme(uri, [...resources.entries, ...templates.entries])
  }
  return undefined
}

function byScheme(uri: string, entries: readonly Entry[]): string | undefined {
  const scheme = schemeOf(uri)
  const sameScheme = new Set(entries.filter(entry => schemeOf(entry.name) === scheme).map(entry => entry.server))
  if (sameScheme.size === 1) return [...sameScheme][0]
  const offering = new Set(entries.map(entry => entry.server))
  return sameScheme.size === 0 && offering.size === 1 ? [...offering][0] : undefined
}

async function findRef(catalogs: Catalogs, session: Session, ref: Json | undefined): Promise<Target | NoTarget> {
  const type = ref?.string('type')
  const found =
    type === 'ref/prompt'
      ? await findNamed(catalogs, session, PROMPTS, ref?.string('name'), 'unknown-prompt')
      : type === 'ref/resource'
        ? await findTemplate(catalogs, session, ref?.string('uri'))
        : ({ code: 'invalid-params', resource: { kind: 'prompt', server: '', prompt: '' } } satisfies NoTarget)
  if ('code' in found || ref === undefined) return found
  return {
    ...found,
    toServer: params => {
      const own = found.toServer(ref)
      return own === ref ? params : params.with({ ref: own })
    },
  }
}

async function findTemplate(catalogs: Catalogs, session: Session, publicUri: string | undefined): Promise<Target | NoTarget> {
  if (publicUri !== undefined) {
    const all = session.view.servers.map(server => server.id)
    const entry = (await catalogs.known(session, TEMPLATES, all)).byName.get(publicUri)
    if (entry !== undefined) return targetOfUri(entry.server, entry.name, publicUri)
  }
  return findUri(catalogs, session, publicUri)
}

const TASKS_NEEDED: JsonObject = { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } }

/** Spec: tasks, "Task Not Found": an id that is not known is invalid params. SEP-2663, "Capability Negotiation". */
function findTask(handles: Handles, tasks: Tasks, session: Session, method: string, taskId: string | undefined): Target | NoTarget {
  const resource: Resource = { kind: 'method', server: '', method }
  if (session.era === 'modern' && session.capabilities.get('extensions')?.get(TASKS_EXTENSION) === undefined)
    return { code: 'missing-capability', resource, data: TASKS_NEEDED }
  const own = taskId === undefined ? undefined : ownTask(handles, session, taskId)
  if (own === undefined) return { code: 'invalid-params', resource }
  const { server, version, id } = own
  // Of a task whose call is not known (any more) nobody knows what may be seen of it: it is a method like any other.
  const about = tasks.originOf(session, own, id) ?? { kind: 'method', server, method }
  return { server, version, resource: about, toServer: params => params.with({ taskId: Json.of(id) }) }
}

/** A method that we do not know goes through only where there is no doubt which server is meant. */
function findAny(session: Session, method: string): Target | NoTarget {
  const [first, ...others] = session.view.servers
  if (first === undefined || others.length > 0) return { code: 'method-not-found', resource: { kind: 'method', server: '', method } }
  return { server: first.id, resource: { kind: 'method', server: first.id, method }, toServer: same }
}
