// One request of a client, as all who work on it see it.
import type { Cancel } from '../cancel.ts'
import type { ReplyChannel, Session } from '../downstream/session.ts'
import type { Json } from '../mcp/json.ts'
import type { Peer } from '../plugin/index.ts'
import type { LaneClient } from '../upstream/handshake.ts'

export interface Asked {
  readonly session: Session
  readonly id: Json
  readonly method: string
  readonly params: Json
  readonly channel: ReplyChannel
  readonly cancel: Cancel
  readonly peer: Peer
  /** False where no header has to say what the message says. */
  readonly isMirrored?: boolean | undefined
  /** What a stateless server is told of the client. */
  readonly client: LaneClient
}
