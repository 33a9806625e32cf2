// What somebody says to a request is on record before it counts; both the operations and the command line say it here.
import type { AdminEvent, Operator } from 'mcpgw/plugin'
import { hear, type Request, type Word, type Wrong } from './request.ts'
import type { ApprovalStore } from './store/store.ts'

/** `busy`: others decide on it all the time. `not-recorded`: nothing has changed. */
export type Heard = { readonly kind: 'heard'; readonly request: Request } | { readonly kind: Wrong | 'unknown' | 'busy' | 'not-recorded' }

const TRIES = 5

export interface Saying extends Omit<Word, 'by'> {
  readonly actor: Operator
  /** False, or a rejection: it could not be recorded. */
  record(event: AdminEvent): Promise<boolean>
}

/** `mayKnow`: whom the request exists for. Rejects where the store cannot be reached. */
export async function say(store: ApprovalStore, id: string, saying: Saying, mayKnow: (request: Request) => boolean): Promise<Heard> {
  const { actor, record, ...word } = saying
  let told: string | undefined
  for (let turn = 0; turn < TRIES; turn++) {
    const request = await store.get(id)
    if (request === undefined || !mayKnow(request)) return { kind: 'unknown' }
    const next = hear(request, { ...word, by: actor.id })
    if (typeof next === 'string') return { kind: next }
    if (told !== next.state && !(await record(describe(next, word.says, actor, word.because)).catch(() => false)))
      return { kind: 'not-recorded' }
    told = next.state
    if (await store.replace(next)) return { kind: 'heard', request: next }
  }
  return { kind: 'busy' }
}

function describe(request: Request, says: Word['says'], actor: Operator, because: string | undefined): AdminEvent {
  const { id, tenant, principal, action, server, name, state, needs, given } = request
  const met = given.filter(({ by }) => by === actor.id).map(({ need }) => need)
  return {
    type: `approval.${says}`,
    actor,
    detail: { request: id, action, server, name, needs, met, state, ...(because !== undefined && { because }) },
    about: { tenant, id: principal, detail: { principal, tenant } },
  }
}
