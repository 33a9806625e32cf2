// Keys in PostgreSQL: gateways on several machines let in the same callers, end a revoked key together, and know how long they may go on without it.
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { type AnyKeyStore, openSharedStore } from '../../../plugins/auth/shared-store.ts'
import { openKeyStore } from '../../../plugins/auth/store.ts'
import { createDatabase, server, run as sql } from '../../postgres/server.ts'
import { type Home, makeHome, type Started, startOfTests } from './gateway.ts'

const config = { keys: { shared: true, outage: 60 } }
const here = { config }

describe.skipIf(server === undefined)('keys in PostgreSQL', () => {
  let url: string
  let one: Home
  let two: Home
  const started: Started[] = []
  beforeAll(async () => {
    url = await createDatabase()
  })
  beforeEach(async () => {
    await sql('DROP SCHEMA IF EXISTS mcpgw_auth CASCADE', url)
    ;[one, two] = [makeHome(url), makeHome(url)]
    await (await one.start(config)).stop()
    copyFileSync(join(one.dir, 'keys.pepper'), join(two.dir, 'keys.pepper'))
  })
  afterEach(async () => {
    for (const gateway of started.splice(0)) await gateway.stop()
    for (const home of [one, two]) home.remove()
  })

  const start = async (home: Home, own: object = config): Promise<Started> => {
    const gateway = await home.start(own)
    started.push(gateway)
    return gateway
  }
  const idOf = (key: string): string => key.slice(4, 12)
  /** After one more look. */
  const seen = async (gateway: Started, key: string): Promise<string> => {
    gateway.tick()
    const verdict = await gateway.present({ 'x-api-key': key })
    return verdict.kind === 'deny' ? verdict.code : verdict.kind
  }

  it('made on one machine let in on the other, and revoked on one end on both, with what is open', async () => {
    const gateways = [await start(one), await start(two)]
    const { out: key } = await one.run('keys create', ['Agent', 'agent-1', 'reader'], { ...here, tenant: 'acme', claims: '{"team":"x"}' })
    for (const gateway of gateways) {
      await expect.poll(() => seen(gateway, key)).toBe('identify')
      expect(await gateway.present({ 'x-api-key': key })).toMatchObject({
        principal: { id: 'agent-1', roles: ['reader'], tenant: 'acme', claims: { team: 'x' }, via: { keyId: idOf(key) } },
      })
      gateway.open.set(idOf(key), { sessions: 1, requests: 0 })
    }
    expect(await two.run('keys revoke', [key], here)).toMatchObject({ exit: 0, err: `Key ${idOf(key)} is revoked.` })
    for (const gateway of gateways) {
      await expect.poll(() => seen(gateway, key)).toBe('bad-credential')
      await expect.poll(() => gateway.open.size).toBe(0)
    }
    const types = (): string[] => [...one.recorded, ...two.recorded].map(({ type }) => type).toSorted()
    const look = (): string[] => {
      for (const gateway of gateways) gateway.tick()
      return types()
    }
    await expect.poll(look).toEqual(['key.create', 'key.end', 'key.end', 'key.revoke'])
    expect(await one.run('keys revoke', [key], here)).toMatchObject({ err: `Key ${idOf(key)} was revoked before.` })
    expect(await one.run('keys revoke', ['aaaaaaaa'], here)).toMatchObject({ exit: 3 })
    expect((await two.run('keys list', [], here)).out).toContain('revoked')
  })

  it('are rotated, and the old key ends on both machines', async () => {
    const gateway = await start(two)
    const { out: old } = await one.run('keys create', ['CI', 'ci-bot'], here)
    const { out: key, exit, err } = await one.run('keys rotate', [old], { ...here, overlap: '0' })
    expect(exit, err).toBe(0)
    await expect.poll(() => seen(gateway, key)).toBe('identify')
    expect(await seen(gateway, old)).toBe('bad-credential')
    expect(await one.run('keys rotate', [old], here)).toMatchObject({ exit: 3, out: '' })
  })

  it('are refused with another pepper, and without a database', async () => {
    rmSync(join(two.dir, 'keys.pepper'))
    await expect(two.start(config)).rejects.toThrow(/keys.pepper is not the pepper that the keys in postgres:.* were made under. Copy it/)
    const alone = makeHome()
    await expect(alone.start(config)).rejects.toThrow('keys.shared: true needs a database')
    alone.remove()
  })

  it('of a file are taken over with one command, as they are', async () => {
    const { out: key } = await one.run('keys create', ['Agent', 'agent-1', 'reader'], { expires: '90d' })
    const { out: gone } = await one.run('keys create', ['Gone', 'agent-2'])
    await one.run('keys revoke', [gone])
    expect(await one.run('keys import', [], here)).toMatchObject({ exit: 0, out: `${idOf(key)}  imported` })
    expect(await one.run('keys import', [], here)).toMatchObject({ exit: 0, out: `${idOf(key)}  there already` })
    const gateway = await start(two)
    expect([await seen(gateway, key), await seen(gateway, gone)]).toEqual(['identify', 'bad-credential'])
    gateway.now = startOfTests + 90 * 86_400_000
    expect(await seen(gateway, key)).toBe('bad-credential')
  })

  it('count for the stated time while the database is gone, then nobody is let in by key and what is open ends, until it is back', async () => {
    const { out: key } = await one.run('keys create', ['Agent', 'agent-1'], here)
    const gateway = await start(one)
    const look = (): string | undefined => {
      gateway.tick()
      return gateway.health.at(-1)
    }
    gateway.open.set(idOf(key), { sessions: 1, requests: 0 })
    const name = new URL(url).pathname.slice(1)
    await sql(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
    try {
      await expect.poll(look, { timeout: 20_000 }).toContain('the keys that are known count')
      gateway.mono += 59_999
      expect([await seen(gateway, key), gateway.open.size]).toEqual(['identify', 1])
      gateway.mono += 1
      gateway.tick()
      await expect(gateway.present({ 'x-api-key': key })).rejects.toThrow('the key store cannot be read')
      expect(gateway.open.size).toBe(0)
      await expect.poll(look, { timeout: 20_000 }).toBe('the key store cannot be read')
    } finally {
      await sql(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    }
    await expect.poll(look, { timeout: 20_000 }).toBe(undefined)
    expect(await seen(gateway, key)).toBe('identify')
  })

  it('are kept as in a file: whatever is done, both stores say the same', async () => {
    const ids = fc.constantFrom('aaaaaaaa', 'bbbbbbbb', 'cccccccc')
    const principals = fc.constantFrom('anna', 'ben')
    const tenants = fc.constantFrom('acme', 'globex')
    const operation = fc.oneof(
      fc.record({ do: fc.constant('create' as const), id: ids, principal: principals, tenant: tenants, life: fc.option(fc.nat(20)) }),
      fc.record({ do: fc.constant('rotate' as const), id: ids, to: ids, after: fc.nat(9) }),
      fc.record({ do: fc.constant('revoke' as const), id: ids }),
      fc.record({ do: fc.constant('about' as const), principal: principals, tenant: fc.option(tenants) }),
      fc.record({ do: fc.constant('erase' as const), principal: principals, tenant: fc.option(tenants) }),
      fc.record({ do: fc.constant('take' as const), forget: fc.boolean() }),
    )
    const by = { id: 'cli:tester' }
    const stores = createStores({ dataDir: one.dir, url })
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async operations => {
        await sql('DROP SCHEMA IF EXISTS mcpgw_auth CASCADE', url)
        const both: AnyKeyStore[] = [openKeyStore(stores, ':memory:'), await openSharedStore(stores.postgres()!)]
        const keyOf = (id: string, at: number, principal: string, tenant: string, life: number | null) => ({
          id,
          digest: Buffer.from(id.padEnd(32)),
          name: 'a key',
          principal,
          roles: ['r'],
          tenant,
          claims: { at },
          createdAt: at,
          ...(life !== null && { expiresAt: at + life }),
          ...(at % 2 === 0 && { rate: { most: at + 1, perMs: 1000, of: id } }),
        })
        const apply = async (store: AnyKeyStore, step: (typeof operations)[number], at: number): Promise<unknown> => {
          switch (step.do) {
            case 'create':
              return store.create(keyOf(step.id, at, step.principal, step.tenant, step.life), by)
            case 'rotate':
              return store.rotate(step.id, keyOf(step.to, at, 'anna', 'acme', null), at + step.after, by)
            case 'revoke':
              return store.revoke(step.id, at, by)
            case 'about':
              return store.about(step.principal, step.tenant ?? undefined)
            case 'erase':
              return store.erase(step.principal, step.tenant ?? undefined, at, by)
            case 'take': {
              const events = await store.take(at)
              for (const { seq } of events) await (step.forget ? store.forget(seq) : store.giveBack(seq))
              return events
            }
          }
        }
        try {
          for (const [at, step] of operations.entries()) {
            const [file, shared] = await Promise.all(
              both.map(store =>
                apply(store, step, at + 1).then(
                  answer => told(answer),
                  () => 'refused',
                ),
              ),
            )
            expect(shared, step.do).toEqual(file)
            const [inFile, inDatabase] = await Promise.all(both.map(async store => told([await store.all(), await store.hasEvents()])))
            expect(inDatabase).toEqual(inFile)
          }
        } finally {
          for (const store of both) await store.close()
        }
      }),
      { numRuns: 25 },
    )
  }, 60_000)
})

/** Without what is random or only counts, and in one order. */
function told(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'string') return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(value) ? 'random' : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const texts = value.map(each => JSON.stringify(told(each))).toSorted()
    return texts.map(text => JSON.parse(text) as unknown)
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'seq')
      .map(([name, member]) => [name, told(member)]),
  )
}
