// What servers say outside of calls: through the hooks, in order, to whoever may hear it.
import type { Channel, Session } from '../downstream/session.ts'
import { Json } from '../mcp/json.ts'
import { writeNotification } from '../mcp/message.ts'
import { LISTS, LOG_LEVELS } from '../mcp/methods.ts'
import { isWithin } from '../mcp/uri-template.ts'
import type { Lane } from '../upstream/lane.ts'
import { Backlog } from './backlog.ts'
import { aliasUri } from './catalog.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { withShownIds } from './task-ids.ts'

const NO_PARAMS = Json.of({})

/** True where whoever wants messages from this level on wants this one. */
export function isLoudEnough(wanted: string | undefined, params: Json | undefined): boolean {
  const level = params?.string('level')
  return wanted !== undefined && (level === undefined || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(wanted))
}

export const LIST_CHANGED: ReadonlySet<string> = new Set(LISTS.map(list => list.changed))

type Tell = (method: string, params: Json | undefined) => void

function tellNewest(session: Session, method: string, params: Json | undefined): void {
  let newest: Channel | undefined
  for (const { channel, logLevel } of session.inflight.all()) if (channel.open && isLoudEnough(logLevel, params)) newest = channel
  newest?.send(writeNotification(method, params))
}

/** A storm of list_changed is told once in this time. */
const CALM_MS = 50

/** Notifications outside of any call, to the client's standing stream. */
export interface Told {
  /** What a server says. */
  said(session: Session, lane: Lane, method: string, params: Json | undefined): void
  /** Lists are not what they were; `method` says which. */
  changed(session: Session, method: string): void
}

export function createTold(deps: RelayDeps, catalogs: Catalogs): Told {
  const waiting = new WeakMap<Session, Set<string>>()
  /** Notifications of one session keep their order. */
  const backlogs = new WeakMap<Session, Backlog>()

  function send(session: Session, method: string, params: Json | undefined, tell: Tell = (...told) => void session.tell(...told)): void {
    if (!deps.pipeline.wants.notifications) return tell(method, params)
    let backlog = backlogs.get(session)
    if (backlog === undefined) {
      backlog = new Backlog()
      backlogs.set(session, backlog)
    }
    // What is dropped here is one of very many: the session is told of changes and logs faster than the plugins clear them.
    backlog.add(params?.bytes.length ?? 0, async () => {
      try {
        const shown = await deps.pipeline.notify(undefined, { method, params: params ?? NO_PARAMS })
        if (shown !== undefined) tell(shown.method, params === undefined ? undefined : (shown.params as Json))
      } catch (error) {
        deps.log.error('bug: a notification was lost', { method, error: String(error) })
      }
    })
  }

  /** Of lists and resources: to the standing stream, or to those streams of a stateless client that want it. */
  function tellOf(session: Session, method: string, params: Json | undefined): void {
    if (session.era === 'legacy') return send(session, method, params)
    for (const listener of session.listeners) listener.hear(method, params)
  }

  /** As whoever subscribed to it calls it. Spec: server/resources: the uri may be that of a sub-resource of the one subscribed to. */
  function shownAs(session: Session, server: string, uri: string): string | undefined {
    const shown = catalogs.renamesOf(session, server)?.(uri) ?? uri
    for (const [subscribed, own] of session.subscriptions) {
      if (own.server !== server || (uri !== own.uri && !isWithin(own.uri, uri))) continue
      if (uri === own.uri) return subscribed
      return subscribed === own.uri ? shown : aliasUri(server, uri)
    }
    return undefined
  }

  function changed(session: Session, method: string): void {
    const pending = waiting.get(session) ?? new Set()
    if (session.ended || pending.has(method)) return
    waiting.set(session, pending.add(method))
    deps.clock.after(CALM_MS, () => {
      pending.delete(method)
      if (!session.ended) tellOf(session, method, undefined)
    })
  }

  function said(session: Session, lane: Lane, method: string, got: Json | undefined): void {
    if (session.ended) return
    const params = withShownIds(deps.handles, session, lane, got)
    if (LIST_CHANGED.has(method)) return changed(session, method)
    if (method === 'notifications/message') {
      // A server on standard streams does not say which request a message belongs to: the newest that wants any is the best guess.
      if (session.era === 'modern') return send(session, method, params, (...told) => tellNewest(session, ...told))
      if (session.logLevel !== undefined && !isLoudEnough(session.logLevel, params)) return
    }
    if (method === 'notifications/resources/updated') {
      const uri = params?.string('uri')
      if (uri === undefined) return
      const shown = shownAs(session, lane.server.id, uri)
      if (shown === undefined) return
      return tellOf(session, method, shown === uri ? params : params!.with({ uri: Json.of(shown) }))
    }
    // Spec: 2026-07-28 basic/patterns/subscriptions: a stateless client hears nothing that he did not ask for.
    if (session.era === 'legacy') send(session, method, params)
  }

  return { said, changed }
}
