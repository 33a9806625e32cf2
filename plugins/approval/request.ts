// One request for approval, from the call that was held up until it is used, refused or too late; how it changes, and nothing else does.
import type { JsonValue } from 'mcpgw/plugin'
import { type Decider, meets, type Need } from './needs.ts'

export type State = 'waiting' | 'approved' | 'rejected' | 'used'

export interface Request {
  /** Shown, and named by whoever decides: `apr_` and 16 letters. */
  readonly id: string
  /** Of caller, what is called, with what, and what is needed: there is one request for each. */
  readonly key: string
  readonly tenant: string
  /** Whose call it is; empty where nobody says who callers are. */
  readonly principal: string
  readonly action: string
  readonly server: string
  /** Tool, prompt, uri or method. */
  readonly name: string
  /** As those see it who decide; undefined where it is hidden, or too long. */
  readonly args?: JsonValue
  readonly needs: readonly Need[]
  readonly given: readonly Given[]
  readonly rejected?: Omit<Given, 'need'>
  readonly state: State
  /** ms since 1970: when it was asked for, and until when it waits, holds or stays rejected. */
  readonly at: number
  readonly until: number
  readonly forMs: number
  /** Grows with each change. */
  readonly revision: number
}

export interface Given {
  readonly need: Need
  /** Principal or operator. */
  readonly by: string
  readonly at: number
  readonly because?: string
}

export interface Word {
  readonly says: 'approve' | 'reject'
  readonly who: Decider
  /** For the record: the principal's id, or `cli:NAME`. */
  readonly by: string
  readonly because: string | undefined
  readonly at: number
}

export type Wrong = 'own' | 'not-yours' | 'given' | 'over'

/** What becomes of it; or why this word does not count. */
export function hear(request: Request, { says, who, by, because, at }: Word): Request | Wrong {
  const open = request.needs.filter(need => !request.given.some(one => one.need === need))
  // Invariant: nobody approves what he asks for, whatever roles he has; nobody meets two needs, so that two are two people.
  if (says === 'approve' && who !== 'operator' && isOwn(request, who)) return 'own'
  const mine = meets(who, request.needs)
  if (mine.length === 0 && !(says === 'reject' && who !== 'operator' && isOwn(request, who))) return 'not-yours'
  if (request.state !== 'waiting' || at >= request.until) return 'over'
  const word = { by, at, ...(because !== undefined && { because }) }
  const changed = { ...request, revision: request.revision + 1 }
  if (says === 'reject') return { ...changed, state: 'rejected', rejected: word, until: at + request.forMs }
  if (who !== 'operator' && request.given.some(one => one.by === by)) return 'given'
  const met = meets(who, open).slice(0, who === 'operator' ? open.length : 1)
  if (met.length === 0) return 'given'
  const given = [...request.given, ...met.map(need => ({ need, ...word }))]
  if (given.length < request.needs.length) return { ...changed, given }
  return { ...changed, given, state: 'approved', until: at + request.forMs }
}

export const isOwn = ({ tenant, principal }: Request, who: { readonly id: string; readonly tenant: string }): boolean =>
  principal === who.id && tenant === who.tenant

/** Takes the approval for one call; undefined where there is none, or not any more. */
export function use(request: Request, now: number): Request | undefined {
  return request.state === 'approved' && now < request.until ? { ...request, state: 'used', revision: request.revision + 1 } : undefined
}

/** The call came to nothing: it may be made again. */
export function giveBack(request: Request): Request {
  return { ...request, state: 'approved', revision: request.revision + 1 }
}

/** Whether a call that needs it begins anew. */
export const isOver = ({ state, until }: Request, now: number): boolean => state === 'used' || now >= until

export type Shown = Omit<Request, 'key' | 'forMs' | 'revision' | 'state' | 'at' | 'until' | 'args'> & {
  readonly state: State | 'expired'
  readonly at: string
  readonly until: string
  readonly arguments?: JsonValue
}

export function show(request: Request, now: number): Shown {
  const { key: _, forMs: _ms, revision: _r, state, at, until, args, ...rest } = request
  return {
    ...rest,
    ...(args !== undefined && { arguments: args }),
    state: state !== 'used' && now >= until ? 'expired' : state,
    at: new Date(at).toISOString(),
    until: new Date(until).toISOString(),
  }
}
