// Tells the plugins of what was refused before there was an exchange: a connection, a request, a message that is none.
import type { Peer, Refused } from '../plugin/index.ts'
import type { Refusal } from '../refusal.ts'
import type { Driver } from './driver.ts'
import type { Telling } from './telling.ts'

export interface Refusals {
  /** Never throws and never waits: the refusal stands whatever the plugins do. */
  refused(refused: Refused): void
}

/** Of texts that the client wrote so much is handed on. */
const LONGEST = 200

export function createRefusals({ stack, observer }: Driver, telling: Telling): Refusals {
  return {
    refused(refused) {
      observer?.refused(refused)
      if (stack.refused.length === 0) return
      const { method, path, action } = refused
      telling.tell(stack.refused, Object.freeze({ ...refused, ...cut('method', method), ...cut('path', path), ...cut('action', action) }))
    },
  }
}

/** A connection that a plugin refused, as the others hear of it. */
export function refusedPeer({ transport, ip }: Peer, { code, reason, by }: Refusal): Refused {
  return { code, reason, by, transport, ip }
}

function cut(name: 'method' | 'path' | 'action', text: string | undefined): Partial<Refused> {
  return text === undefined || text.length <= LONGEST ? {} : { [name]: `${text.slice(0, LONGEST)}…` }
}
