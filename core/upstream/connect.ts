// Connections of a lane, from nothing to an agreement: tried in the ways that a server of unknown make may be reached and spoken to.
import type { ServerConfig } from '../config/schema.ts'
import type { Calls } from './calls.ts'
import type { Spoken } from './eras.ts'
import type { Agreement } from './handshake.ts'
import type { LaneOptions } from './lane-options.ts'
import { openProtocol, type Unopened } from './opening.ts'
import { isTransportFault, type Transport, type TransportFault } from './transport.ts'

export interface ConnectOptions extends Pick<LaneOptions, 'server' | 'client' | 'eras' | 'clock' | 'log' | 'createTransport'> {
  readonly calls: Calls
  /** The transport is the lane's from here on, until it takes another one or none. */
  adopt(transport: Transport): void
  isCurrent(transport: Transport): boolean
  /** Nobody wants the connection any more. */
  isClosed(): boolean
  received(bytes: Uint8Array, during: number | undefined, current: boolean): void
  failed(id: number, fault: TransportFault): void
  /** The transport is not backed up any more. */
  drained(): void
  /** The session is over, or the connection as a whole. */
  ended(fault: TransportFault): void
  lost(fault: TransportFault): void
}

export interface Connected {
  readonly transport: Transport
  readonly agreement: Agreement
}

/** Spec: 2026-07-28 basic/versioning, "Backward Compatibility". What was found out is kept, and forgotten where it does not hold any more. */
export async function connect(options: ConnectOptions): Promise<Connected | TransportFault> {
  const { eras, server, clock } = options
  const known = eras.of(server)
  const found = await connectOnce(known, options)
  if ('agreement' in found) return learn(options, known ?? found.agreement.era, found)
  const other = known === undefined && !options.isClosed() ? otherWay(server, found) : undefined
  if (other === undefined) return forget(options, found)
  let second = await connectOnce(other, options)
  const wait = 'agreement' in second ? undefined : second.retryAfterMs
  if (wait !== undefined) {
    await new Promise<void>(resolve => void clock.after(wait, resolve))
    if (!options.isClosed()) second = await connectOnce(other, options)
  }
  return 'agreement' in second ? learn(options, other, second) : forget(options, found)
}

function learn({ eras, server }: ConnectOptions, spoken: Spoken, connected: Connected): Connected {
  eras.learn(server, spoken)
  return connected
}

function forget({ eras, server }: ConnectOptions, fault: TransportFault): TransportFault {
  eras.forget(server)
  return fault
}

/** What else to try where nothing was known of the server. */
function otherWay({ kind }: ServerConfig, found: Unopened): Spoken | undefined {
  if (kind === 'child') return found.atQuestion === true ? 'legacy' : undefined
  // Spec: 2025-11-25 basic/transports, "Backwards Compatibility": a server of 2024-11-05 does not take a POST there.
  return found.status === 400 || found.status === 404 || found.status === 405 ? 'sse' : undefined
}

/** Nothing is left of it where there is no agreement. */
async function connectOnce(spoken: Spoken | undefined, options: ConnectOptions): Promise<Connected | Unopened> {
  const { server, client, calls, clock, log, isCurrent } = options
  const transport = options.createTransport(spoken)
  options.adopt(transport)
  let fault: TransportFault | undefined
  let failed: TransportFault | undefined
  try {
    await transport.open({
      message: (bytes, during) => {
        const current = isCurrent(transport)
        if (current || during !== undefined) options.received(bytes, during, current)
      },
      failed(id, why) {
        failed = why
        options.failed(id, why)
      },
      drained: () => options.drained(),
      unwell: id => calls.noteUnwell(id),
      awaits: id => calls.find(id) !== undefined,
      ended: why => isCurrent(transport) && options.ended(why),
      closed(why) {
        fault ??= why
        if (isCurrent(transport)) options.lost(why)
      },
    })
  } catch (error) {
    fault = isTransportFault(error) ? error : { code: 'upstream-unavailable', detail: String(error) }
  }
  let unopened: Unopened | undefined
  if (fault === undefined && isCurrent(transport)) {
    const opened = await openProtocol(transport, {
      server: server.id,
      client,
      calls,
      startMs: server.timeout.startMs,
      era: spoken === 'sse' ? 'legacy' : spoken,
      clock,
      log,
      failed() {
        const why = failed
        failed = undefined
        return why
      },
    })
    if ('era' in opened && isCurrent(transport)) return { transport, agreement: opened }
    if (!('era' in opened)) unopened = opened
  }
  // What the transport says of its end is plainer than what the opening makes of it.
  const why: Unopened = { code: 'upstream-unavailable', detail: 'closed', ...unopened, ...(fault as TransportFault | undefined) }
  if (isCurrent(transport)) options.lost(why)
  const ending = transport.reject?.(why) ?? transport.close()
  void ending.catch(error => log.warn('transport did not close', { server: server.id, error: String(error) }))
  return why
}
