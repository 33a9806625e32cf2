// Ends what a caller has open whose credential no longer holds.
import type { Principal } from '../plugin/index.ts'
import type { SessionStore } from './sessions.ts'

/** A stateless client's requests may come with several credentials; a session is of the one that opened it or has its stream. */
export function createExpel(sessions: Pick<SessionStore, 'all' | 'end'>): (isMeant: (principal: Principal) => boolean) => void {
  return isMeant => {
    const is = (principal: Principal | undefined): boolean => principal !== undefined && isMeant(principal)
    for (const session of sessions.all()) {
      if (session.era === 'legacy' && (is(session.principal) || is(session.listens))) {
        void sessions.end(session)
        continue
      }
      for (const { principal, cancel } of session.inflight.all()) if (is(principal)) cancel.cancel('the credential no longer holds')
    }
  }
}
