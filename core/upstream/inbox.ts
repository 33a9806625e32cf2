// Reads what a server sends on a lane: scanned strictly, freed of what only the gateway may say, and told apart message by message.
import { isFault, Json, type JsonFault, type JsonLimits } from '../mcp/json.ts'
import { type Message, readMessage } from '../mcp/message.ts'
import type { Log } from '../plugin/index.ts'
import { withoutDeepEntries } from './deep-entries.ts'
import { withoutReserved } from './reserved.ts'

export type Inbound = Exclude<Message, { kind: 'batch' }>

export interface Inbox {
  /** `during`: the request in whose response stream it came. `current`: the session that it came by is not over. */
  take(bytes: Uint8Array, during: number | undefined, current: boolean): void
  /** What is no message, or none that may come now. */
  refuse(why: string, during: number | undefined): void
}

export interface InboxOptions {
  readonly server: string
  readonly limits: JsonLimits
  readonly log: Log
  /** Takes known secrets out of whatever the server sends, before anyone sees it. */
  scrub(bytes: Uint8Array): Uint8Array
  receive(message: Inbound, during: number | undefined, current: boolean): void
  /** The request in whose response this came will get no other answer. */
  garbled(during: number): void
}

export function createInbox({ server, limits, log, scrub, receive, garbled }: InboxOptions): Inbox {
  let count = 0

  function refuse(why: string, during: number | undefined): void {
    count++
    // The 1st, 2nd, 4th, 8th...: a server that sends nothing else must not fill the log.
    if (Number.isInteger(Math.log2(count))) log.warn('server sent an invalid message', { server, why, count })
    if (during !== undefined) garbled(during)
  }

  function scan(bytes: Uint8Array): Json | JsonFault {
    const json = Json.scan(bytes, limits)
    const rest = isFault(json) && json.code === 'too-deep' ? withoutDeepEntries(bytes, limits) : undefined
    if (rest === undefined) return json
    log.warn('quarantined: list entries that are nested too deep', { server, entries: rest.dropped })
    return rest.json
  }

  /** Invariant: whatever a server sends, the gateway and its other servers live on. */
  function handle(message: Inbound, during: number | undefined, current: boolean): void {
    try {
      receive(message, during, current)
    } catch (error) {
      log.error('bug: a message of a server could not be handled', { server, error: String(error) })
      if (during !== undefined) garbled(during)
    }
  }

  function give(message: ReturnType<typeof readMessage>, during: number | undefined, current: boolean): void {
    if ('code' in message) refuse(message.message, during)
    else if (message.kind === 'batch') refuse('a batch inside a batch', during)
    else handle(message, during, current)
  }

  return {
    take(bytes, during, current) {
      const json = scan(scrub(bytes))
      if (isFault(json)) return refuse(`${json.code} at byte ${json.offset}: ${json.message}`, during)
      const message = readMessage(withoutReserved(json), 'upstream')
      if (!('code' in message) && message.kind === 'batch') {
        for (const item of message.items) give(readMessage(item, 'upstream'), during, current)
      } else give(message, during, current)
    },
    refuse,
  }
}
