// What a client asked for once and a server must be told again after each restart: log level and subscriptions.
import type { Session } from '../downstream/session.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { LOG_LEVELS } from '../mcp/methods.ts'
import type { Answer } from '../plugin/index.ts'
import type { Behalf } from '../upstream/behalf.ts'
import type { Berth } from '../upstream/berth.ts'
import type { Lane } from '../upstream/lane.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'

const DONE: Answer = { kind: 'result', payload: Json.of({}) }

/** Tells an open lane the least severe level that its sessions asked for; one that is not open is told when it opens. */
export function tellLevel(session: Session, { lane, users }: Berth): void {
  if (session.logLevel === undefined || lane.agreement?.capabilities.get('logging') === undefined) return
  const wanted = new Set([...users].map(user => user.logLevel()))
  void lane.request('logging/setLevel', Json.of({ level: LOG_LEVELS.find(level => wanted.has(level)) ?? session.logLevel }))
}

/** One request of a stateless client wants log messages: from now on the server is to send what any of them has wanted. */
export function askForLogs(session: Session, berth: Berth, level: string): void {
  if (session.logLevel !== undefined && LOG_LEVELS.indexOf(session.logLevel) <= LOG_LEVELS.indexOf(level)) return
  session.logLevel = level
  if (berth.lane.agreement?.era === 'legacy') tellLevel(session, berth)
}

/** A lane has begun a new session with its server, which knows nothing of the last one. */
export function tellAgain(session: Session, berth: Berth): void {
  const { lane } = berth
  tellLevel(session, berth)
  for (const { server, uri } of session.subscriptions.values()) {
    if (server === lane.server.id) void lane.request('resources/subscribe', Json.of({ uri }))
  }
}

/** Each is kept, looked at with every update, and told again after every restart. */
const MAX_SUBSCRIPTIONS = 1000
const MAX_URI = 8192

export async function subscribe(session: Session, lane: Lane, params: Json, sent: Json, behalf?: Behalf): Promise<Answer> {
  const uri = params.string('uri')!
  if (uri.length > MAX_URI) return errorAnswer('too-large', { text: `a uri to subscribe to has at most ${MAX_URI} characters` })
  if (session.subscriptions.size >= MAX_SUBSCRIPTIONS && !session.subscriptions.has(uri))
    return errorAnswer('rate-limited', { text: `a session holds at most ${MAX_SUBSCRIPTIONS} subscriptions` })
  const answer = await lane.request('resources/subscribe', sent, { behalf })
  if (answer.kind === 'result') session.subscriptions.set(uri, { server: lane.server.id, uri: sent.string('uri')! })
  return answer
}

/** Where several sessions share the lane, the server is told only when the last of them has unsubscribed. */
export async function unsubscribe(
  deps: RelayDeps,
  catalogs: Catalogs,
  session: Session,
  lane: Lane,
  params: Json,
  sent: Json,
): Promise<Answer> {
  const uri = params.string('uri')!
  session.subscriptions.delete(uri)
  // Each session may know it under another uri.
  const own = sent.string('uri')
  for (const other of deps.sessions.all()) {
    const holds = [...other.subscriptions.values()].some(one => one.server === lane.server.id && one.uri === own)
    if (holds && catalogs.berth(other, lane.server.id)?.lane === lane) return DONE
  }
  return lane.request('resources/unsubscribe', sent)
}
