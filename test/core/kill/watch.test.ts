// A gateway knows what is killed before it starts, carries out what changes, and forgets nothing where it cannot look.
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defaults, type RemoteServer } from '../../../core/config/schema.ts'
import { createHealth, type Health } from '../../../core/health.ts'
import { indexKills, KINDS, type Kill, type KillTarget } from '../../../core/kill/kills.ts'
import { type KillStore, openKillStore } from '../../../core/kill/store.ts'
import { type KillSwitch, openKillSwitch } from '../../../core/kill/watch.ts'
import type { Principal } from '../../../core/plugin/index.ts'
import { createStores } from '../../../core/store/index.ts'
import { createLogBook, createManualClock, type ManualClock } from '../upstream/manual-clock.ts'

const of = (kind: Kill['kind'], name: string): Kill => ({ kind, name, at: 1, by: { id: 'cli:ann' } })
const server: RemoteServer = {
  kind: 'remote',
  id: '',
  name: '',
  url: 'http://127.0.0.1:1/mcp',
  headers: {},
  enabled: true,
  shared: false,
  protocol: 'auto',
  timeout: defaults.timeout,
}
const principal = (tenant: string, keyId?: string, method = 'api-key'): Principal => ({
  id: 'x',
  tenant,
  roles: [],
  claims: {},
  via: { method, ...(keyId !== undefined && { keyId }) },
})

describe('what is killed', () => {
  it('is refused, and nothing else is, whatever the names', () => {
    const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', '')
    const killed = fc.oneof(
      name,
      name.map(id => `${id}@2`),
    )
    const target = fc.record({ kind: fc.constantFrom(...KINDS), name: killed })
    fc.assert(
      fc.property(fc.array(target), name, name, name, (targets: KillTarget[], tenant, key, server) => {
        const kills = indexKills(targets.map(one => of(one.kind, one.name)))
        const has = (kind: Kill['kind'], id: string): boolean => targets.some(one => one.kind === kind && one.name === id)
        expect(kills.refuseCaller(principal(tenant, key))?.code).toBe(has('tenant', tenant) || has('key', key) ? 'killed' : undefined)
        expect(kills.refuseCaller(principal(tenant, key, 'jwt'))?.code).toBe(has('tenant', tenant) ? 'killed' : undefined)
        expect(kills.refuseCaller(principal(tenant))?.code).toBe(has('tenant', tenant) ? 'killed' : undefined)
        expect(kills.refuseServer({ id: server })?.code).toBe(has('server', server) ? 'killed' : undefined)
        const isKilled = has('server', server) || has('version', `${server}@2`)
        expect(kills.refuseServer({ id: server, version: '2' })?.code).toBe(isKilled ? 'killed' : undefined)
        expect(kills.refuseCaller(undefined)).toBeUndefined()
      }),
    )
  })
})

interface World {
  readonly path: string
  readonly operator: KillStore
  readonly kills: KillSwitch
  readonly clock: ManualClock
  readonly health: Health
  readonly done: string[]
  /** Principals of these that are open. */
  readonly open: Principal[]
  /** One more look, to its end. */
  look(): Promise<void>
}

async function start(...before: Kill[]): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcpgw-kill-'))
  const operator = await openKillStore(createStores({ dataDir }))
  for (const kill of before) await operator.set(kill)
  const kills = await openKillSwitch(createStores({ dataDir }))
  if ('code' in kills) throw new Error(kills.message)
  onTestFinished(async () => {
    await kills.stop()
    await operator.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const clock = createManualClock()
  const health = createHealth({ clock })
  const done: string[] = []
  const open: Principal[] = []
  const gates = [{ id: 'crm' }, { id: 'git' }, { id: 'crm', version: '2' }].map(({ id, version }) => {
    let isShut = false
    return {
      server: { ...server, id, ...(version !== undefined && { version }) },
      gate: {
        get isShut() {
          return isShut
        },
        shut(now: boolean) {
          isShut = now
          done.push(`${now ? 'shut' : 'opened'} ${version === undefined ? id : `${id}@${version}`}`)
        },
      },
    }
  })
  kills.carryOut({
    servers: () => gates,
    reassign: () => void done.push('reassigned'),
    pool: { cut: async id => void done.push(`cut ${id}`), restore: id => void done.push(`restored ${id}`) },
    expel(isMeant) {
      const ended = open.filter(isMeant)
      for (const one of ended) open.splice(open.indexOf(one), 1)
      return { sessions: ended.length, requests: 0 }
    },
    restart: id => done.push(`restarted ${id}`) > 0,
  })
  kills.watch({ clock, log: createLogBook().log, health })
  const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  await settle()
  const look = async (): Promise<void> => {
    clock.advance(250)
    await settle()
  }
  return { path: join(dataDir, 'kills.db'), operator, kills, clock, health, done, open, look }
}

describe('a gateway', () => {
  it('shuts what was killed before it started, and looks four times a second for what is killed or lifted since', async () => {
    const { operator, kills, done, look } = await start(of('server', 'crm'), of('server', 'of another gateway'))
    expect(done.splice(0)).toEqual(['shut crm', 'shut crm@2', 'reassigned', 'cut crm', 'cut crm@2'])
    await operator.set(of('server', 'git'))
    await look()
    expect(done.splice(0)).toEqual(['shut git', 'reassigned', 'cut git'])
    await look()
    await operator.lift(of('server', 'crm'))
    await look()
    expect(done).toEqual(['opened crm', 'opened crm@2', 'reassigned', 'restored crm', 'restored crm@2'])
    expect([kills.now.refuseServer({ id: 'crm' }), kills.now.refuseServer({ id: 'git' })?.code]).toEqual([undefined, 'killed'])
  })

  it('begins anew with a server at each word of an operator, once, and not for what was wanted before it started', async () => {
    const { operator, done, look, path } = await start()
    const by = { id: 'cli:ann' }
    await operator.restart({ server: 'crm', at: 1, by })
    await look()
    await look()
    expect(done.splice(0)).toEqual(['restarted crm'])
    await operator.restart({ server: 'crm', at: 2, by })
    await operator.restart({ server: 'git', at: 2, by })
    await look()
    expect(done.splice(0).toSorted()).toEqual(['restarted crm', 'restarted git'])
    const later = await openKillSwitch(createStores({ dataDir: dirname(path) }))
    if ('code' in later) throw new Error(later.message)
    onTestFinished(() => later.stop())
    const clock = createManualClock()
    const restarted: string[] = []
    later.carryOut({
      servers: () => [],
      reassign: () => {},
      pool: { cut: async () => {}, restore: () => {} },
      expel: () => ({ sessions: 0, requests: 0 }),
      restart: id => restarted.push(id) > 0,
    })
    later.watch({ clock, log: createLogBook().log, health: createHealth({ clock }) })
    await new Promise(resolve => setImmediate(resolve))
    expect(restarted).toEqual([])
  })

  it('of a killed version shuts that one alone, gives its callers others, and then ends what it has under way', async () => {
    const { operator, kills, done, look } = await start()
    await operator.set(of('version', 'crm@2'))
    await look()
    expect(done.splice(0)).toEqual(['shut crm@2', 'reassigned', 'cut crm@2'])
    expect(kills.now.refuseServer({ id: 'crm', version: '2' })?.by).toEqual(['kill/version'])
    expect([kills.now.refuseServer({ id: 'crm' }), kills.now.refuseServer({ id: 'crm', version: '1' })]).toEqual([undefined, undefined])
    await operator.lift(of('version', 'crm@2'))
    await look()
    expect(done).toEqual(['opened crm@2', 'reassigned', 'restored crm@2'])
  })

  it('ends what killed tenants and keys have open, also what shows up a little later, and nothing of others', async () => {
    const { operator, open, look } = await start()
    open.push(principal('acme'), principal('globex', 'k1'), principal('globex', 'k2'))
    await operator.set(of('tenant', 'acme'))
    await operator.set(of('key', 'k1'))
    await look()
    expect(open).toEqual([principal('globex', 'k2')])
    open.push(principal('acme', 'late'))
    await look()
    expect(open).toEqual([principal('globex', 'k2')])
  })

  it('keeps what it knew where it cannot look, says so in its health, and goes on where it can again', async () => {
    const { path, operator, kills, health, done, look } = await start(of('tenant', 'acme'), of('server', 'crm'))
    await operator.close()
    const shown = () => health.view().components.find(({ name }) => name === 'kill')
    expect(shown()).toMatchObject({ status: 'ok' })
    renameSync(path, `${path}.away`)
    await look()
    expect(shown()).toMatchObject({ status: 'degraded', why: expect.stringContaining('cannot be read') as string })
    expect(kills.now.refuseCaller(principal('acme'))?.code).toBe('killed')
    expect(done).toEqual(['shut crm', 'shut crm@2', 'reassigned', 'cut crm', 'cut crm@2'])
    renameSync(`${path}.away`, path)
    await look()
    expect(shown()).toMatchObject({ status: 'ok' })
    expect(done).toEqual(['shut crm', 'shut crm@2', 'reassigned', 'cut crm', 'cut crm@2'])
  })

  it('does not start where it cannot be known what is killed', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'mcpgw-kill-'))
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
    writeFileSync(join(dataDir, 'kills.db'), 'no database '.repeat(500))
    expect(await openKillSwitch(createStores({ dataDir }))).toMatchObject({ code: 'kill-store' })
    const url = 'postgres://nobody@127.0.0.1:1/nothing'
    expect(await openKillSwitch(createStores({ dataDir: join(dataDir, 'other'), url }))).toMatchObject({ code: 'kill-store' })
    expect(existsSync(join(dataDir, 'other'))).toBe(false)
  })
})
