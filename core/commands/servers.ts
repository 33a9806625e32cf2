// `mcpgw servers list|status`: what is configured, and how it is.

import { resolve } from 'node:path'
import { type About, aboutOf } from '../config/about.ts'
import type { Loaded } from '../config/load.ts'
import { placeOf, versionName, versionsOf, whichOf } from '../config/places.ts'
import type { ConfiguredServer, ReachedServer } from '../config/schema.ts'
import type { Finding } from '../finding.ts'
import { createLog } from '../log.ts'
import { alignColumns, printable } from '../plugin/index.ts'
import { KnownSecrets } from '../secrets.ts'
import type { ShownServer } from '../upstream/board.ts'
import { sharesOf, showShare } from '../upstream/shares.ts'
import { askRunning } from './ask-running.ts'
import { openRegistration } from './registering.ts'
import { loadOrStarter } from './starter.ts'
import { openStores } from './stores.ts'
import { textOption, type VerbIo } from './verb.ts'
import { withGateway } from './with-gateway.ts'

/** 3 where those that were registered cannot be read. */
export async function listServers(io: VerbIo): Promise<number> {
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const registered = await listRegistered(loaded)
  if ('code' in registered) {
    io.err(`error[${registered.code}]: ${registered.message}\n`)
    return 3
  }
  const tag = textOption(io, 'tag')
  const all = [...rowsOf(loaded.config.servers, 'config'), ...registered]
  const rows = tag === undefined ? all : all.filter(({ tags }) => tags?.includes(tag) === true)
  if (io.json) io.out(`${JSON.stringify({ servers: rows }, null, 2)}\n`)
  else if (rows.length === 0 && tag !== undefined) io.err(`No server has the tag ${printable(tag)}.\n`)
  else io.out(alignColumns(rows.map(columnsOf)))
  return 0
}

interface Row extends About {
  readonly id: string
  readonly version?: string
  readonly weight?: number
  readonly share?: number
  readonly name: string
  readonly enabled: boolean
  readonly kind: ReachedServer['kind']
  readonly target: string
  readonly origin: 'config' | { readonly by: string; readonly at: string }
}
/** This gateway does not serve it. */
interface LeftOut extends Pick<Row, 'id' | 'origin' | 'tags'> {
  readonly leftOut: string
}

/** One for each version. */
function rowsOf(servers: readonly ConfiguredServer[], origin: Row['origin']): Row[] {
  const shares = sharesOf(servers)
  return servers.flatMap(server =>
    versionsOf(server).map(one => ({
      id: one.id,
      ...whichOf(one),
      ...shares.get(versionName(one)),
      name: one.name,
      ...aboutOf(one),
      enabled: one.enabled,
      kind: one.kind,
      target: targetOf(one),
      origin,
    })),
  )
}

/** Those of the store; none where the config lets nobody register any. */
export async function listRegistered(loaded: Loaded): Promise<readonly (Row | LeftOut)[] | Finding> {
  const log = createLog({ level: 'silent' })
  const stores = await openStores(loaded.config.store, log)
  const registered = await openRegistration(loaded, { stores, secrets: new KnownSecrets(), log })
  if (registered === undefined) return []
  if ('code' in registered) return registered
  await registered.stop()
  return registered.all.flatMap(({ registration: { id, by, at }, server, why = '' }): readonly (Row | LeftOut)[] => {
    const origin = { by: by.id, at: new Date(at).toISOString() }
    return server === undefined ? [{ id, origin, leftOut: why }] : rowsOf([server], origin)
  })
}

function columnsOf(row: Row | LeftOut): string[] {
  const from = row.origin === 'config' ? '' : `registered by ${row.origin.by} at ${row.origin.at}`
  if ('leftOut' in row) return [`  ${row.id}`, '', `left out: ${row.leftOut}`, '', '', from]
  const { enabled, id, version, weight, share, name, target, owner = '', tags = [] } = row
  const shown = weight === undefined || share === undefined ? '' : ` ${showShare({ weight, share })}`
  return [`${enabled ? '*' : ' '} ${versionName({ id, version })}${shown}`, name, target, owner, tags.join(', '), from]
}

/** 0 where every enabled server is ready, 1 otherwise. */
export async function showStatus(io: VerbIo): Promise<number> {
  const [cert, key] = [textOption(io, 'clientCert'), textOption(io, 'clientKey')]
  if ((cert === undefined) !== (key === undefined)) {
    io.err('error[usage]: --client-cert and --client-key go together\n')
    return 2
  }
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const { listen } = loaded.config
  const client = cert === undefined || key === undefined ? undefined : { cert: resolve(io.cwd, cert), key: resolve(io.cwd, key) }
  const running = await askRunning(listen, client)
  if (running.kind === 'answered') return show(io, running.servers, 'the running gateway')
  const why =
    running.kind === 'none'
      ? 'no gateway is running'
      : `what listens on ${listen.host}:${listen.port} did not answer as one: ${running.why}`
  return withGateway(
    io,
    async ({ open }) => {
      await open.gateway.pool.probe(open.gateway.views.all.servers)
      return show(io, open.gateway.board.list(), `a trial start: ${why}`)
    },
    false,
  )
}

function show(io: VerbIo, servers: readonly ShownServer[], source: string): number {
  const ready = servers.every(({ state, calls }) => state === 'ready' && calls.breaker === 'closed')
  if (io.json) io.out(`${JSON.stringify({ ok: ready, source, servers }, null, 2)}\n`)
  else {
    const rows = servers.map(
      ({ server, version, instance, weight, share, state, pids, isolation, restarts, lastFailure, protocol, calls }) => {
        const more = [
          weight === undefined || share === undefined ? '' : showShare({ weight, share }),
          protocol === undefined ? '' : `MCP ${protocol}`,
          pids.length > 0 ? `pid ${pids.join(', ')}` : '',
          isolation === undefined ? '' : `isolation ${isolation}`,
          restarts > 0 ? `${restarts} restarts` : '',
          state === 'ready' ? '' : (lastFailure ?? ''),
          calls.killed === true ? 'killed by an operator' : '',
          calls.breaker === 'closed' ? '' : `breaker ${calls.breaker}: ${calls.why ?? ''}`,
          calls.underWay > 0 ? `${calls.underWay} calls under way` : '',
          calls.waiting > 0 ? `${calls.waiting} waiting` : '',
        ]
        return [placeOf({ id: server, version, instance }), state, more.filter(text => text !== '').join(', ')]
      },
    )
    io.out(alignColumns(rows))
    io.err(`\nfrom ${printable(source)}\n`)
  }
  return ready ? 0 : 1
}

function targetOf(server: ReachedServer): string {
  const several = server.kind === 'child' && server.instances !== undefined ? `, ${server.instances} times` : ''
  if (server.kind === 'child') return [server.command, ...server.args].join(' ') + several
  return server.instances === undefined ? server.url : server.instances.map(({ url }) => url).join(', ')
}
