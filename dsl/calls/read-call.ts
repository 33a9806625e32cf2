// The JSON of a call, as `mcpgw policy eval --call` takes it, to the facts that are decided on; strict, so that a slip is no other call.
import type { Action, Json } from '../ast.ts'
import { normalise, TooLarge } from '../cel/normalise.ts'
import { normaliseUri } from '../evaluator/uri.ts'
import type { Facts, Subject } from '../facts.ts'
import type { Lock } from '../lock/lock.ts'
import { readJson } from '../syntax/json.ts'
import type { Value } from '../value.ts'
import { createHistory, type PastEvent } from './history.ts'

export interface CallError {
  readonly error: string
}
export interface CallContext {
  /** Where the call says no time. */
  readonly now: Date
  /** Its schemas say which numbers are whole. */
  readonly lock?: Lock | undefined
}

const ACTIONS: readonly Action[] = ['call', 'read', 'prompt', 'method']
const KNOWN = new Set<string>([...ACTIONS, 'principal', 'args', 'history', 'request', 'session'])

/** Ends the reading; never leaves this file. */
class NoCall extends Error {}

export function readCall(text: string, context: CallContext): Facts | CallError {
  const read = readJson(text)
  if ('wrong' in read) return { error: `at character ${read.at + 1}: ${read.wrong}` }
  try {
    return toFacts(read.value, context)
  } catch (error) {
    if (error instanceof NoCall) return { error: error.message }
    throw error
  }
}

/** The members of a principal that count; absent ones are empty, others are passed over. */
export function readPrincipal(json: Json): Subject | CallError {
  try {
    return toSubject(json)
  } catch (error) {
    if (error instanceof NoCall) return { error: error.message }
    throw error
  }
}

/** `args` typed by the schema of the tool, where the lock has it. */
export function readArguments(
  json: Json | undefined,
  action: Action,
  server: string,
  name: string,
  lock: Lock | undefined,
): Value | CallError | undefined {
  if (action !== 'call' && action !== 'prompt') return undefined
  if (json === undefined) return new Map()
  if (!(json instanceof Map)) return { error: '`args` takes an object' }
  const value = normalise(json, action === 'call' ? toolOf(lock, server, name)?.inputSchema : undefined)
  return value instanceof TooLarge ? { error: `\`args\` is beyond the limits of the language (${value.what})` } : value
}

/** What the lock says of a tool; undefined for what is no tool. */
export function annotationsOf(action: Action, server: string, name: string, lock: Lock | undefined): Value | undefined {
  const annotations = action === 'call' ? toolOf(lock, server, name)?.annotations : undefined
  if (annotations === undefined) return undefined
  const value = normalise(annotations)
  return value instanceof TooLarge ? undefined : value
}

function toolOf(
  lock: Lock | undefined,
  server: string,
  name: string,
): { inputSchema: Lock['servers'][string]['tools'][number]['inputSchema']; annotations?: Readonly<Record<string, unknown>> } | undefined {
  return lock !== undefined && Object.hasOwn(lock.servers, server)
    ? lock.servers[server]?.tools.find(tool => tool.name === name)
    : undefined
}

function toFacts(json: Json, { now, lock }: CallContext): Facts {
  const call = objectOf(json, 'a call')
  for (const key of call.keys()) if (!KNOWN.has(key)) throw new NoCall(`\`${key}\` is unknown in a call, expected ${[...KNOWN].join(', ')}`)
  if (!call.has('principal')) throw new NoCall('expected `principal`, found none')
  const { action, server, name } = targetIn(call, ACTIONS, 'a call')
  const request = requestOf(call.get('request'), now)
  const args = readArguments(call.get('args'), action, server, name, lock)
  if (isError(args)) throw new NoCall(args.error)
  const annotations = annotationsOf(action, server, name, lock)
  const session = call.get('session')
  const history = call.get('history')
  return {
    principal: toSubject(call.get('principal')!),
    action,
    server,
    name,
    ...(args !== undefined && { args }),
    ...(annotations !== undefined && { annotations }),
    request,
    ...(session !== undefined && { session: sessionOf(session) }),
    ...(history !== undefined && { history: createHistory(eventsOf(history), request.time) }),
  }
}

export function isError(value: unknown): value is CallError {
  return typeof value === 'object' && value !== null && !(value instanceof Map) && 'error' in value
}

function toSubject(json: Json): Subject {
  const principal = objectOf(json, '`principal`')
  const roles = principal.get('roles') ?? []
  if (!Array.isArray(roles) || !roles.every(role => typeof role === 'string')) throw new NoCall('`principal.roles` takes a list of texts')
  const name = textIn(principal, 'name', 'principal')
  const claims = normalise(objectOf(principal.get('claims') ?? new Map(), '`principal.claims`'))
  if (claims instanceof TooLarge) throw new NoCall(`\`principal.claims\` is beyond the limits of the language (${claims.what})`)
  return {
    id: textIn(principal, 'id', 'principal') ?? '',
    ...(name !== undefined && { name }),
    roles,
    tenant: textIn(principal, 'tenant', 'principal') ?? 'default',
    claims,
  }
}

function requestOf(json: Json | undefined, now: Date): Facts['request'] {
  if (json === undefined) return { time: now }
  const request = objectOf(json, '`request`')
  for (const key of request.keys())
    if (!['ip', 'time', 'transport'].includes(key)) throw new NoCall(`\`request.${key}\` is unknown, expected ip, time, transport`)
  const ip = textIn(request, 'ip', 'request')
  const transport = textIn(request, 'transport', 'request')
  const time = textIn(request, 'time', 'request')
  return {
    time: time === undefined ? now : timeOf(time, '`request.time`'),
    ...(ip !== undefined && { ip }),
    ...(transport !== undefined && { transport }),
  }
}

function sessionOf(json: Json): NonNullable<Facts['session']> {
  const session = normalise(objectOf(json, '`session`')) as ReadonlyMap<string, Value>
  const [id, calls] = [session.get('id'), session.get('calls')]
  if (typeof id !== 'string' || typeof calls !== 'bigint') throw new NoCall('`session` takes {"id": text, "calls": whole number}')
  return { id, calls }
}

function eventsOf(json: Json): PastEvent[] {
  if (!Array.isArray(json)) throw new NoCall('`history` takes a list')
  return (json as readonly Json[]).map((one, index) => {
    const where = `\`history[${index}]\``
    const event = objectOf(one, where)
    const { action, server, name } = targetIn(event, ['call', 'read', 'prompt'], where)
    const at = event.get('at')
    if (typeof at !== 'string') throw new NoCall(`${where}: \`at\` takes a time like "2026-11-21T10:00:00Z"`)
    return { action: action as PastEvent['action'], server, name, at: timeOf(at, `${where}: \`at\``).getTime() }
  })
}

function targetIn(
  object: ReadonlyMap<string, Json>,
  actions: readonly Action[],
  where: string,
): { action: Action; server: string; name: string } {
  const given = actions.filter(action => object.has(action))
  const [action] = given
  if (action === undefined || given.length > 1)
    throw new NoCall(
      `${where}: expected one of ${actions.map(one => `\`${one}\``).join(', ')}, found ${given.length === 0 ? 'none' : given.map(one => `\`${one}\``).join(' and ')}`,
    )
  const target = object.get(action)
  const slash = typeof target === 'string' ? target.indexOf('/') : -1
  if (typeof target !== 'string' || slash < 1 || slash === target.length - 1)
    throw new NoCall(`\`${action}\` takes "server/name", found ${typeof target === 'string' ? `\`${target}\`` : 'something else'}`)
  const server = target.slice(0, slash)
  const name = target.slice(slash + 1)
  if (!/^[A-Za-z0-9_.-]+$/.test(server)) throw new NoCall(`\`${server}\` is no name of a server`)
  return { action, server, name: action === 'read' ? normaliseUri(name) : name }
}

function objectOf(json: Json, what: string): ReadonlyMap<string, Json> {
  if (json instanceof Map) return json as ReadonlyMap<string, Json>
  throw new NoCall(`${what} takes an object`)
}

function textIn(object: ReadonlyMap<string, Json>, key: string, where: string): string | undefined {
  const value = object.get(key)
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new NoCall(`\`${where}.${key}\` takes text`)
  return value
}

function timeOf(text: string, where: string): Date {
  const time = readTime(text)
  if (time === undefined) throw new NoCall(`${where} takes a time like "2026-11-21T10:00:00Z", found \`${text}\``)
  return time
}

/** RFC 3339 with a zone. Days that no month has are none. */
export function readTime(text: string): Date | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)[Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  if (parts === null) return undefined
  const [year, month, day] = parts.slice(1, 4).map(Number) as [number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined
  const time = new Date(text.toUpperCase())
  return Number.isNaN(time.getTime()) ? undefined : time
}
