// Any sequence of registering, changing and removing leaves what it says; what is wrong changes nothing, and every change is on record first.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { RegisteredFrom } from '../../../core/config/registered.ts'
import { createHealth } from '../../../core/health.ts'
import type { AdminEvent, JsonObject } from '../../../core/plugin/index.ts'
import { openRegistered, type RegisteredServers } from '../../../core/registry/registered.ts'
import { createRegistrar, type Registrar, type RegistrarParts } from '../../../core/registry/registrar.ts'
import { openRegistrationStore } from '../../../core/registry/store.ts'
import { createStores } from '../../../core/store/index.ts'
import { createDatabase, server as database } from '../../postgres/server.ts'
import { createWorkspace } from '../config/workspace.ts'
import { createLogBook, createManualClock } from '../upstream/manual-clock.ts'

const from: RegisteredFrom = {
  allowed: { commands: false, origins: [], secrets: { crm: ['https://crm.example'] }, variables: {} },
  env: {},
  getSecret: async name => (name === 'crm' ? 'the-secret-of-crm' : undefined),
  baseDir: '/srv',
}
const ann = { id: 'ann', tenant: 'ops' }
const at = (id: string, path = ''): JsonObject => ({ id, url: `https://${id.toLowerCase()}.example/${path}` })

interface World {
  readonly registrar: Registrar
  readonly events: AdminEvent[]
  /** Another gateway of the same store. */
  open(more?: Partial<RegisteredFrom>): Promise<RegisteredServers>
  readonly path: string
}

async function start(more: Partial<RegistrarParts> = {}, url?: string): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcpgw-registry-'))
  const stores = () => createStores({ dataDir, ...(url !== undefined && { url }) })
  const store = await openRegistrationStore(stores())
  const { accept } = createWorkspace({ 'mcpgw.yaml': 'servers: [{ id: fixed, command: node }]' })
  const { servers } = (await accept()).config
  onTestFinished(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const events: AdminEvent[] = []
  const record = async (event: AdminEvent) => void events.push(event)
  const registrar = createRegistrar({
    ...from,
    store,
    ofConfig: () => ['fixed'],
    authenticates: true,
    misfit: () => undefined,
    record,
    now: () => 7,
    ...more,
  })
  return {
    registrar,
    events,
    path: join(dataDir, 'servers.db'),
    async open(others) {
      const opened = await openRegistered(stores(), { ...from, ...others, servers, log: createLogBook().log, learn: () => {} })
      if ('code' in opened) throw new Error(opened.message)
      onTestFinished(() => opened.stop())
      return opened
    },
  }
}

const ids = fc.constantFrom('a', 'A', 'b', 'crm', 'fixed', 'Fixed')
interface Act {
  readonly kind: 'register' | 'update' | 'remove'
  readonly id: string
  readonly path: string
  readonly isWrong: boolean
}
const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('register', 'update', 'remove'),
  id: ids,
  path: fc.constantFrom('1', '2'),
  isWrong: fc.boolean(),
})

/** What the model says of it: why it is refused. */
function refusalOf({ kind, id, isWrong }: Act, model: ReadonlyMap<string, string>): string | undefined {
  if (kind !== 'register' && !model.has(id)) return id === 'fixed' ? 'conflict' : 'not-found'
  if (kind !== 'remove' && isWrong) return 'invalid-arguments'
  const isTaken = [...model.keys(), 'fixed'].some(one => one.toLowerCase() === id.toLowerCase())
  return kind === 'register' && isTaken ? 'conflict' : undefined
}

async function holds(world: World, other: RegisteredServers, acts: readonly Act[]): Promise<void> {
  const { registrar, events } = world
  const model = new Map<string, string>()
  for (const one of acts) {
    const before = events.length
    const entry = { ...at(one.id, one.path), ...(one.isWrong && { tags: ['No Tag'] }) }
    const expected = refusalOf(one, model)
    const done = await {
      register: () => registrar.register(entry, ann),
      update: () => registrar.update(one.id, () => entry, ann),
      remove: () => registrar.remove(one.id, ann),
    }[one.kind]()
    expect(done.kind === 'refused' ? done.code : undefined).toBe(expected)
    expect(events.length - before).toBe(expected === undefined ? 1 : 0)
    if (expected === undefined && one.kind === 'remove') model.delete(one.id)
    else if (expected === undefined) model.set(one.id, `https://${one.id.toLowerCase()}.example/${one.path}`)
    await other.look()
    const served = other.servers.map(server => [server.id, 'url' in server ? server.url : ''] as const)
    expect(served[0]).toEqual(['fixed', ''])
    expect(new Map(served.slice(1))).toEqual(model)
  }
  for (const id of model.keys()) await registrar.remove(id, ann)
  events.length = 0
}

describe('any sequence of changes leaves what it says, on another gateway too, and what is wrong changes nothing', () => {
  const acts = fc.array(act, { maxLength: 12 })
  it('in a file', async () => {
    const world = await start()
    const other = await world.open()
    await fc.assert(
      fc.asyncProperty(acts, given => holds(world, other, given)),
      { numRuns: 40 },
    )
  })

  it.skipIf(database === undefined)('in PostgreSQL', async () => {
    const world = await start({}, await createDatabase())
    const other = await world.open()
    await fc.assert(
      fc.asyncProperty(acts, given => holds(world, other, given)),
      { numRuns: 15 },
    )
  })
})

describe('a change', () => {
  it('is on record before it is made, with a digest and without the entry', async () => {
    const { registrar, events } = await start()
    await registrar.register({ ...at('crm'), headers: { Authorization: '${secret:crm}' }, tenants: ['acme'] }, ann)
    expect(events).toEqual([
      {
        type: 'server.register',
        actor: ann,
        detail: {
          server: 'crm',
          kind: 'remote',
          origins: ['https://crm.example'],
          tenants: ['acme'],
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
        },
      },
    ])
  })

  it('that cannot be recorded is not made', async () => {
    const failing = await start({ record: () => Promise.reject(new Error('no disk')) })
    await expect(failing.registrar.register(at('a'), ann)).rejects.toThrow('no disk')
    expect((await failing.open()).servers.map(({ id }) => id)).toEqual(['fixed'])
  })

  it('of two at once one is made; the record says of the other that it was not', async () => {
    const { registrar, events } = await start()
    const done = await Promise.all([registrar.register(at('a', '1'), ann), registrar.register(at('a', '2'), ann)])
    expect(done.map(({ kind }) => kind).toSorted()).toEqual(['done', 'refused'])
    expect(events.map(({ success }) => String(success)).toSorted()).toEqual(['false', 'undefined', 'undefined'])
  })

  it('for tenants is refused where nobody is of any', async () => {
    const { registrar } = await start({ authenticates: false })
    expect(await registrar.register({ ...at('a'), tenants: ['acme'] }, ann)).toMatchObject({ code: 'invalid-arguments', field: 'tenants' })
    const versions = [{ version: '1' }, { version: '2', pins: { roles: ['beta'] } }]
    expect(await registrar.register({ ...at('a'), versions }, ann)).toMatchObject({ code: 'invalid-arguments', field: 'versions.1.pins' })
  })
})

it('a change that plugins would not start with is refused, and nothing is on record of it', async () => {
  const misfit = (ids: readonly string[]): string | undefined => (ids.includes('crm') ? undefined : 'step-up for "crm", which is none')
  const { registrar, events, open } = await start({ misfit })
  expect(await registrar.register(at('a'), ann)).toMatchObject({ kind: 'refused', code: 'conflict', field: 'id' })
  expect(await registrar.register(at('crm'), ann)).toEqual({ kind: 'done', id: 'crm' })
  expect(await registrar.remove('crm', ann)).toMatchObject({
    kind: 'refused',
    code: 'conflict',
    message: 'without it the gateway would not start again: step-up for "crm", which is none',
  })
  expect(events.map(({ type }) => type)).toEqual(['server.register'])
  expect((await open()).all.map(({ server }) => server?.id)).toEqual(['crm'])
})

describe('a gateway', () => {
  it('serves what others register and remove, within its look, and says where it cannot read it', async () => {
    const { registrar, open, path } = await start()
    const other = await open()
    const clock = createManualClock()
    const health = createHealth({ clock })
    const served: string[] = []
    other.watch({ clock, health, serve: servers => void served.push(servers.map(({ id }) => id).join()) })
    const settle = async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    }
    const look = async () => {
      clock.advance(250)
      await settle()
    }
    await settle()
    await registrar.register(at('a'), ann)
    await look()
    expect(served.at(-1)).toBe('fixed,a')
    expect(other.find('a')).toMatchObject({ by: ann, at: 7, entry: at('a') })
    await registrar.remove('a', ann)
    await look()
    expect(served.at(-1)).toBe('fixed')
    expect(health.status).toBe('ok')
    rmSync(path)
    await look()
    expect(health.view().components).toMatchObject([
      { name: 'registration', status: 'degraded', why: expect.stringContaining('servers.db') },
    ])
    expect(served.at(-1)).toBe('fixed')
  })

  it('leaves out what its config does not allow any more, and what its config has itself; a config that takes such an id is refused', async () => {
    const { registrar, open } = await start()
    await registrar.register({ ...at('crm'), headers: { 'X-A': '${secret:crm}' } }, ann)
    await registrar.register(at('b'), ann)
    const other = await open()
    expect(other.servers.map(({ id }) => id).toSorted()).toEqual(['b', 'crm', 'fixed'])
    const { accept } = createWorkspace({ 'mcpgw.yaml': 'servers: [{ id: fixed, command: node }, { id: B, command: node }]' })
    const { servers } = (await accept()).config
    expect(other.refuse(servers)).toMatchObject({
      code: 'server-registered',
      path: ['servers', 1, 'id'],
      help: expect.stringContaining('remove b'),
    })
    const clock = createManualClock()
    const health = createHealth({ clock })
    other.watch({ clock, health, serve: () => {} })
    await other.rebase(servers)
    const stricter = await open({ allowed: { ...from.allowed, secrets: {} } })
    expect(stricter.servers.map(({ id }) => id)).toEqual(['fixed', 'b'])
    expect(other.servers.map(({ id }) => id)).toEqual(['fixed', 'B', 'crm'])
    expect(health.view().components[0]?.why).toContain('b: the config has a server of this id')
    expect(other.find('b')).toBeUndefined()
    expect(other.refuse(servers)).toBeUndefined()
  })

  it('does not start where what was registered cannot be read', async () => {
    const { path } = await start()
    writeFileSync(path, 'no database '.repeat(500))
    const stores = createStores({ dataDir: join(path, '..') })
    const opened = await openRegistered(stores, { ...from, servers: [], log: createLogBook().log, learn: () => {} })
    expect(opened).toMatchObject({ code: 'registration-store', message: expect.stringContaining('servers.db') })
  })
})
