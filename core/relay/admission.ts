// Whatever comes without a request of its own (streams, ends, notifications, responses): the credential is checked all the same.
import { Cancel } from '../cancel.ts'
import type { Session } from '../downstream/session.ts'
import { isErrorCode } from '../errors.ts'
import type { LiveExchange } from '../exchange.ts'
import type { Peer, Principal } from '../plugin/index.ts'
import type { Refusal } from '../refusal.ts'
import type { RelayDeps } from './deps.ts'
import { EMPTY, isOther, PLUMBING } from './plan.ts'
import { type Caller, NO_PARAMS, type NotAdmitted } from './run.ts'

export interface Admission {
  admitStanding(session: Session, peer: Peer, isListening?: boolean): Promise<NotAdmitted | undefined>
  admit(caller: Caller, peer: Peer): Promise<{ readonly principal: Principal | undefined } | NotAdmitted>
}

export function createAdmission(deps: RelayDeps): Admission {
  const { pipeline, clock } = deps

  async function admitStanding(session: Session, peer: Peer, isListening = false): Promise<NotAdmitted | undefined> {
    const admitted = await admit(session, peer, x => isOther(session, x))
    if ('code' in admitted) return admitted
    if (isListening) session.listens = admitted.principal
    return undefined
  }

  /** What carries no request: the caller, or why not. */
  async function admit(
    caller: Caller,
    peer: Peer,
    refuse: (x: LiveExchange) => Refusal | undefined = () => undefined,
  ): Promise<{ principal: Principal | undefined } | NotAdmitted> {
    const at = clock.now()
    const x = pipeline.openExchange({
      id: deps.newId(at),
      direction: 'to-server',
      action: 'session',
      resource: PLUMBING,
      peer,
      client: caller.client,
      protocolVersion: caller.protocolVersion,
      sessionId: caller.sessionId,
      params: NO_PARAMS,
      at,
      mono: clock.mono(),
      cancel: new Cancel(),
    })
    const admission = await pipeline.admit(x, async () => refuse(x) ?? PLUMBING)
    if (admission.kind === 'refused') {
      pipeline.settle(x, { kind: 'denied', decision: x.decision! })
      const { code, challenge, retryAfter } = admission.refusal
      return { code: isErrorCode(code) ? code : 'denied', challenge, retryAfter }
    }
    pipeline.settle(x, { kind: 'answered', answer: EMPTY, isToolError: false })
    return { principal: x.principal }
  }

  return { admit, admitStanding }
}
