// What a client asked for once and a server must be told again after each restart: log level and subscriptions.
import type { Session } from '../downstream/session.ts'
import { Json } from '../mcp/json.ts'
import type { Answer } from '../plugin/index.ts'
import type { Lane } from '../upstream/lane.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'

const DONE: Answer = { kind: 'result', payload: Json.of({}) }

/** Tells an open lane of this session's log level; one that is not open is told when it opens. */
export function tellLevel(session: Session, lane: Lane): void {
  if (session.logLevel === undefined || lane.agreement?.capabilities.get('logging') === undefined) return
  void lane.request('logging/setLevel', Json.of({ level: session.logLevel }))
}

/** A lane has begun a new session with its server, which knows nothing of the last one. */
export function tellAgain(session: Session, lane: Lane): void {
  tellLevel(session, lane)
  for (const { server, uri } of session.subscriptions.values()) {
    if (server === lane.server.id) void lane.request('resources/subscribe', Json.of({ uri }))
  }
}

export async function subscribe(session: Session, lane: Lane, params: Json, sent: Json): Promise<Answer> {
  const answer = await lane.request('resources/subscribe', sent)
  if (answer.kind === 'result') session.subscriptions.set(params.string('uri')!, { server: lane.server.id, uri: sent.string('uri')! })
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
  for (const other of deps.sessions.all()) {
    const server = other.subscriptions.get(uri)?.server
    if (server === lane.server.id && catalogs.berth(other, server)?.lane === lane) return DONE
  }
  return lane.request('resources/unsubscribe', sent)
}
