// There are other servers or versions than before: what is open for clients is brought up to it, and they are told. No session ends, no call is lost.
import type { Session } from '../downstream/session.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { LIST_CHANGED, type Told } from './told.ts'
import { isSameView } from './view.ts'
import { keyIn } from './visitors.ts'

/** All at once, so that no request sees a part of it. */
export function createRenew({ sessions, views }: Pick<RelayDeps, 'sessions' | 'views'>, catalogs: Catalogs, told: Told): () => void {
  function renew(session: Session): void {
    const { view, principal, user } = session
    // A session keeps its versions as long as they are there; what stands for requests without any goes by what counts now.
    const held = session.era === 'legacy' ? view : undefined
    // An endpoint that is not there any more shows nothing; it may come back.
    const now = views.seenBy(view, principal, held) ?? views.nowhere(view.only ?? '')
    if (isSameView(view, now)) return
    session.view = now
    if (view.versions !== now.versions) sessions.rename(session, key => keyIn(key, now))
    catalogs.forget(session)
    const ids = new Set(now.servers.map(({ id }) => id))
    for (const [uri, { server }] of session.subscriptions) if (!ids.has(server)) session.subscriptions.delete(uri)
    // Whoever waits for what servers say outside of calls is to hear it from these, too.
    for (const id of ids) if (user.holds(id)) void catalogs.berth(session, id)?.lane.ready()
    for (const method of LIST_CHANGED) told.changed(session, method)
  }

  return () => {
    for (const session of sessions.all()) renew(session)
  }
}
