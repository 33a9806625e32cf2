// Opens the protocol on a transport: finds out the era of the server, and agrees on a version and on what it can do.
import type { Json } from '../mcp/json.ts'
import { type Era, LATEST_MODERN } from '../mcp/modern.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import type { Calls } from './calls.ts'
import { type Discovery, readDiscovery } from './discovery.ts'
import { type Agreement, agree, initializeParams, type LaneClient } from './handshake.ts'
import { inEnvelope, mirrorHeaders } from './speech.ts'
import type { Transport, TransportFault } from './transport.ts'

export interface OpeningOptions {
  readonly server: string
  readonly client: LaneClient
  readonly calls: Calls
  readonly startMs: number
  /** What is configured, or was found out before; undefined: to be found out. */
  readonly era: Era | undefined
  readonly clock: Clock
  readonly log: Log
  /** What the transport said last of a request that brought no message. */
  failed(): TransportFault | undefined
}

/** `atQuestion`: the connection was lost over `server/discover`; one that is initialized at once may hold. */
export type Unopened = TransportFault & { readonly atQuestion?: boolean }

/** An older server may say nothing to a method that it does not know, and a new one may be slow to start. */
const PATIENCE_MS = 5000

/** Spec: 2026-07-28 basic/versioning, "Backward Compatibility with Initialization-Based Versions". */
export async function openProtocol(transport: Transport, options: OpeningOptions): Promise<Agreement | Unopened> {
  const { era, clock } = options
  if (era === 'legacy') return initialize(transport, options)
  const asked = discover(transport, options)
  const found = era === 'modern' ? await asked : await within(asked, Math.min(PATIENCE_MS, options.startMs / 2), clock)
  if (era === 'modern') return typeof found === 'object' ? found : refusal(options)
  if (typeof found === 'object') {
    // Some servers end at the first message that is not `initialize`.
    return 'detail' in found && found.code === 'upstream-crashed' ? { ...found, atQuestion: true } : found
  }
  const initialized = await initialize(transport, options)
  if (found !== undefined || !('detail' in initialized)) return initialized
  // It was only slow: what it said to the question came before what it says to the other.
  const late = await within(asked, 0, clock)
  return typeof late === 'object' && !('detail' in late) ? late : initialized
}

function within<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => resolve(undefined))
    work.finally(stop).then(resolve, reject)
  })
}

async function discover(transport: Transport, { calls, client, startMs, failed }: OpeningOptions): Promise<Discovery> {
  const params = inEnvelope(undefined, client, LATEST_MODERN)
  const headers = mirrorHeaders('server/discover', params, LATEST_MODERN)
  const answer = await calls.send(transport, 'server/discover', params, {}, { callMs: startMs }, headers)
  return readDiscovery(answer, failed())
}

async function initialize(
  transport: Transport,
  { calls, client, startMs, server, log, failed }: OpeningOptions,
): Promise<Agreement | TransportFault> {
  const answer: Answer = await calls.send(transport, 'initialize', initializeParams(client), {}, { callMs: startMs })
  if (answer.kind === 'error' && answer.code === undefined)
    log.warn('server refused initialize', { server, text: (answer.payload as Json).string('message')?.slice(0, 500) })
  const agreement = agree(answer)
  const why = failed()
  // What the transport says of the failure is plainer than the answer made of it.
  return 'detail' in agreement && why !== undefined
    ? { ...why, code: agreement.code, detail: `initialize failed: ${why.detail}` }
    : agreement
}

function refusal({ failed, server }: OpeningOptions): TransportFault {
  return failed() ?? { code: 'upstream-unavailable', detail: `${server}: does not answer server/discover as a server of 2026-07-28 does` }
}
