// How many calls a session has made: `session.calls`. Only clients of older revisions have sessions.
import type { Exchange } from 'mcpgw/plugin'

export interface SessionCalls {
  readonly id: string
  readonly calls: bigint
  count(): void
}

class Session implements SessionCalls {
  readonly id: string
  calls = 0n
  constructor(id: string) {
    this.id = id
  }
  count(): void {
    this.calls += 1n
  }
}

// A session has one client object, which nobody changes.
const sessions = new WeakMap<object, Session>()

export function sessionOf({ sessionId, client }: Exchange): SessionCalls | undefined {
  if (sessionId === undefined || client === undefined) return undefined
  let session = sessions.get(client)
  if (session?.id !== sessionId) {
    session = new Session(sessionId)
    sessions.set(client, session)
  }
  return session
}
