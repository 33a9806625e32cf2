// What requests of stateless clients have in common upstream: lanes, lists, subscriptions. Made once the caller is known, seen by nobody.
import { createHash } from 'node:crypto'
import { isTold, ownerWithVoice } from '../credentials/voice.ts'
import { Session } from '../downstream/session.ts'
import type { ErrorCode } from '../errors.ts'
import { Json } from '../mcp/json.ts'
import type { Envelope } from '../mcp/modern.ts'
import { ownerOf } from '../owner.ts'
import type { Peer, Principal } from '../plugin/index.ts'
import type { LaneUser } from '../upstream/berth.ts'
import type { RelayDeps } from './deps.ts'
import { MAX_CLIENT_BYTES } from './sessions.ts'
import type { View } from './view.ts'

export interface Visitor {
  readonly view: View
  readonly peer: Peer
  readonly principal: Principal | undefined
  readonly envelope: Envelope
}

/** The session that stands for all requests of this principal which declare the same; or why there is none. */
export function findVisitor(
  { sessions, clock }: Pick<RelayDeps, 'sessions' | 'clock'>,
  { view, peer, principal, envelope }: Visitor,
  userOf: (session: Session) => LaneUser,
): Session | ErrorCode {
  const { info, capabilities, version } = envelope
  if (info.bytes.length + capabilities.bytes.length > MAX_CLIENT_BYTES) return 'too-large'
  const said = createHash('sha256').update(info.bytes).update('\0').update(capabilities.bytes).digest('base64url')
  // Invariant: neither an id, an owner nor a hash can hold what separates them; and an owner is of one tenant, so that all see the same servers.
  const key = keyIn(`${[view.only ?? '', version, said, ownerIn(view, principal)].join('\0')}\0`, view)
  const now = clock.mono()
  const known = sessions.pooled(key)
  if (known !== undefined) {
    known.lastSeen = now
    return known
  }
  // A copy: a part of the message would keep the whole of it in memory.
  const own = Json.of({}).with({ info, capabilities })
  const made = new Session({
    id: sessions.newId(),
    era: 'modern',
    view,
    peer,
    protocolVersion: version,
    info: own.get('info')!,
    capabilities: own.get('capabilities')!,
    principal,
    now,
    userOf,
  })
  return sessions.add(made, key) ? made : 'too-many-sessions'
}

/** Where another gateway is told of his roles, what he is shown depends on them. */
function ownerIn({ servers }: View, principal: Principal | undefined): string {
  return servers.some(isTold) ? ownerWithVoice(principal) : ownerOf(principal)
}

/** One of a caller who by his roles, now these and now those, has several versions of a server is one for each. */
export function keyIn(key: string, { versions }: View): string {
  return key.slice(0, key.lastIndexOf('\0') + 1) + versions
}
