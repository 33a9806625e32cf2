// How each kind of server is reached: which transport a lane gets, and what all transports have in common.
import { join } from 'node:path'
import { placeOf } from '../config/places.ts'
import type { AddressedServer, GatewayConfig, ServerConfig } from '../config/schema.ts'
import type { Credentials } from '../credentials/credentials.ts'
import type { Clock, Log } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'
import type { ServerBoard } from './board.ts'
import { createCells } from './child/cells.ts'
import { createCensus } from './child/census.ts'
import { createLeftovers, reapLeftovers } from './child/leftovers.ts'
import { createManagedTransport } from './child/managed.ts'
import type { Spoken } from './eras.ts'
import { createDialer, createPublicDialer, type Dialer } from './remote/dialer.ts'
import { createHttpTransport } from './remote/http.ts'
import { createSseTransport } from './remote/sse.ts'
import { createRestTransport } from './rest/transport.ts'
import type { Transport } from './transport.ts'

export interface ReachOptions {
  readonly config: Pick<GatewayConfig, 'store' | 'limits'>
  readonly board: Pick<ServerBoard, 'supervisor'>
  readonly credentials: Pick<Credentials, 'of'>
  readonly secrets: KnownSecrets
  readonly clock: Clock
  readonly log: Log
  /** The gateway's own tools, where it offers any. */
  createInner(owner: string): Transport
}

export interface Reach {
  /** `owner`: whose lane it is. `isBusy`: calls are pending, or a user waits for what the server may say outside of calls. */
  createTransport(server: ServerConfig, owner: string, spoken: Spoken | undefined, isBusy: () => boolean): Transport
  /** Connections, once no lane uses them. */
  close(): Promise<void>
  /** What holds processes. */
  release(): void
}

export function createReach({ config, board, credentials, secrets, clock, log, createInner }: ReachOptions): Reach {
  const runFolder = join(config.store.dir, 'run')
  for (const pid of reapLeftovers(runFolder)) log.warn('a server process of a killed gateway was ended', { pid })
  const leftovers = createLeftovers(runFolder)
  const cells = createCells(log)
  const census = createCensus(clock)
  const dialer = createDialer()
  const publicDialer = createPublicDialer()
  const dialerFor = ({ isPublic }: AddressedServer): Dialer => (isPublic === true ? publicDialer : dialer)
  const { messageBytes: maxBytes, depth, keys } = config.limits
  const jsonLimits = { bytes: maxBytes, depth, keys }

  return {
    createTransport(server, owner, spoken, isBusy) {
      if (server.kind === 'inner') return createInner(owner)
      if (server.kind === 'remote') {
        const create = spoken === 'sse' ? createSseTransport : createHttpTransport
        const credential = credentials.of(server, owner)
        return create({ url: new URL(server.url), headers: server.headers, credential, maxBytes, dialer: dialerFor(server), log })
      }
      if (server.kind === 'rest') {
        const { name, url, headers, tools } = server
        const credential = credentials.of(server, owner)
        return createRestTransport({ name, tools, url: new URL(url), headers, credential, limits: jsonLimits, dialer: dialerFor(server) })
      }
      const place = placeOf(server)
      return createManagedTransport(
        { ...server, id: place },
        {
          supervisor: board.supervisor(place),
          clock,
          log,
          scrub: text => secrets.scrubText(text),
          isBusy,
          leftovers,
          cells,
          census,
          limits: { lineBytes: maxBytes },
        },
      )
    },
    close: async () => void (await Promise.all([dialer.close(), publicDialer.close()])),
    release: () => cells.close(),
  }
}
