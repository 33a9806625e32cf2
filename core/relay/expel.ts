// Ends what a caller has open whose credential no longer holds.
import type { PluginContext, Principal } from '../plugin/index.ts'
import type { SessionStore } from './sessions.ts'

const WHY = 'the credential no longer holds'

export type Expel = PluginContext['expel']

/** A stateless client's requests may come with several credentials; a session is of the one that opened it or has its stream. */
export function createExpel(sessions: Pick<SessionStore, 'all' | 'end'>): Expel {
  return isMeant => {
    const ended = { sessions: 0, requests: 0 }
    const is = (principal: Principal | undefined): boolean => principal !== undefined && isMeant(principal)
    for (const session of sessions.all()) {
      if (session.era === 'legacy' && (is(session.principal) || is(session.listens))) {
        ended.sessions++
        for (const { cancel } of session.inflight.all()) {
          ended.requests++
          cancel.cancel(WHY, 'credential')
        }
        void sessions.end(session)
        continue
      }
      for (const { principal, cancel } of session.inflight.all()) {
        if (!is(principal) || cancel.cancelled) continue
        ended.requests++
        cancel.cancel(WHY, 'credential')
      }
    }
    return ended
  }
}
