// keys create, list and revoke: a key is shown once, named by its public id ever after, and every change reaches the record.
import type { AdminEvent } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { openKeyStore } from '../../../plugins/auth/store.ts'
import { type Home, makeHome, startOfTests } from './gateway.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home.remove())

describe('keys create', () => {
  it('prints the key alone on stdout, and the rest beside it', async () => {
    const { exit, out, err } = await home.run('keys create', ['My Agent', 'agent-1', 'reader,writer'], { expires: '90d' })
    expect(exit).toBe(0)
    expect(out).toMatch(/^mgk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/)
    expect(err).toBe(
      `Key ${out.slice(4, 12)} for agent-1 (reader, writer; tenant default), until 2026-04-01T00:00:00.000Z. It is shown this once: keep it now.`,
    )
  })

  it('makes keys of 256 random bits under ids of their own', async () => {
    const keys = new Set<string>()
    for (let i = 0; i < 20; i++) keys.add((await home.run('keys create', ['a', 'b'])).out)
    expect(new Set([...keys].map(key => key.slice(0, 12))).size).toBe(20)
    for (const key of keys) expect(Buffer.from(key.slice(13), 'base64url')).toHaveLength(32)
  })

  it('gives one document with --json', async () => {
    const { out, err } = await home.run('keys create', ['My Agent', 'agent-1'], { json: true, tenant: 'acme' })
    const made = JSON.parse(out) as { id: string; key: string }
    expect(err).toBe('')
    expect(made).toEqual({
      id: made.key.slice(4, 12),
      key: made.key,
      name: 'My Agent',
      principal: 'agent-1',
      roles: [],
      tenant: 'acme',
      claims: {},
      createdAt: '2026-01-01T00:00:00.000Z',
      expiresAt: null,
      rate: null,
    })
  })

  it('gives a key a rate, which lists show and which a key in its place goes on with', async () => {
    const { out, err } = await home.run('keys create', ['My Agent', 'agent-1'], { rate: '100/min' })
    expect(err).toContain('good for 100/min')
    const rotated = await home.run('keys rotate', [out.slice(4, 12)], { overlap: '1h' })
    const { keys } = JSON.parse((await home.run('keys list', [], { json: true })).out) as { keys: { rate: string }[] }
    expect(keys.map(({ rate }) => rate)).toEqual(['100/min', '100/min'])
    const store = openKeyStore(createStores({ dataDir: home.dir }), 'keys.db')
    expect(store.all().map(({ rate }) => rate)).toEqual(Array(2).fill({ most: 100, perMs: 60_000, of: out.slice(4, 12) }))
    store.close()
    expect((await home.run('keys list', [])).out).toContain('100/min')
    expect(rotated.exit).toBe(0)
  })

  it.each<[string, string[], Record<string, string>]>([
    ['no name', ['', 'agent'], {}],
    ['a name of two lines', ['a\nb', 'agent'], {}],
    ['a name with an escape', ['a\u001b[1m', 'agent'], {}],
    ['an odd principal', ['a', 'agent 1'], {}],
    ['a wildcard role', ['a', 'agent', '*'], {}],
    ['an empty role', ['a', 'agent', 'reader,'], {}],
    ['roles with spaces', ['a', 'agent', 'reader, writer'], {}],
    ['an odd tenant', ['a', 'agent'], { tenant: '' }],
    ['no unit', ['a', 'agent'], { expires: '90' }],
    ['no time', ['a', 'agent'], { expires: '0d' }],
    ['a negative time', ['a', 'agent'], { expires: '-1d' }],
    ['more than ten years', ['a', 'agent'], { expires: '600w' }],
    ['a rate of nothing', ['a', 'agent'], { rate: '0/min' }],
    ['a rate without a span', ['a', 'agent'], { rate: '100' }],
    ['a rate per anything', ['a', 'agent'], { rate: '100/fortnight' }],
    ['claims that are no JSON', ['a', 'agent'], { claims: '{customer' }],
    ['claims that are no object', ['a', 'agent'], { claims: '[1]' }],
  ])('is a usage error with %s, and makes nothing', async (_, args, options) => {
    const { exit, out, err } = await home.run('keys create', args, options)
    expect([exit, out, err === '']).toEqual([2, '', false])
    expect(JSON.parse((await home.run('keys list', [], { json: true })).out)).toEqual({ keys: [] })
  })
})

describe('keys list', () => {
  it('shows the state of every key, those of the config included, and no key itself', async () => {
    const config = { apiKeys: [{ id: 'key-1', key: 'gw_3kZp9QvX7LmN2RtY', consumerId: 'agent-prod', roles: ['reader'] }] }
    const made = [
      await home.run('keys create', ['My Agent', 'agent-1', 'reader,writer']),
      await home.run('keys create', ['Short', 'agent-2'], { expires: '1h', now: startOfTests + 1 }),
      await home.run('keys create', ['Gone', 'agent-3'], { now: startOfTests + 2, tenant: 'acme' }),
    ]
    await home.run('keys revoke', [made[2]!.out])
    const { exit, out } = await home.run('keys list', [], { config, now: startOfTests + 86_400_000 })
    const ids = made.map(({ out: key }) => key.slice(4, 12))
    const shown = out.replaceAll(ids[0]!, '<first->').replaceAll(ids[1]!, '<second>').replaceAll(ids[2]!, '<third->')
    expect(exit).toBe(0)
    expect(shown).toBe(
      `ID        NAME      PRINCIPAL   ROLES          TENANT   RATE  EXPIRES     LAST USED  STATE
<first->  My Agent  agent-1     reader,writer  default  -     -           -          active
<second>  Short     agent-2     -              default  -     2026-01-01  -          expired
<third->  Gone      agent-3     -              acme     -     -           -          revoked
key-1     -         agent-prod  reader         default  -     -           -          active (in the config)
`,
    )
    const json = await home.run('keys list', [], { json: true, config })
    for (const { out: key } of made) expect(out + json.out).not.toContain(key.slice(13))
    expect(out + json.out).not.toContain('gw_')
  })
})

describe('keys revoke', () => {
  it('takes the id, the id with its prefix, or the key itself, once', async () => {
    for (const pick of [(key: string) => key.slice(4, 12), (key: string) => key.slice(0, 12), (key: string) => key]) {
      const { out: key } = await home.run('keys create', ['a', 'b'])
      expect(await home.run('keys revoke', [pick(key)])).toEqual({ exit: 0, out: '', err: `Key ${key.slice(4, 12)} is revoked.` })
      expect(await home.run('keys revoke', [pick(key)])).toMatchObject({ exit: 0, err: `Key ${key.slice(4, 12)} was revoked before.` })
    }
  })

  it('says what it could not do', async () => {
    expect(await home.run('keys revoke', ['aaaaaaaa'])).toMatchObject({ exit: 3, err: expect.stringContaining('There is no key aaaaaaaa') })
    expect(await home.run('keys revoke', ["x' OR 1=1"])).toMatchObject({ exit: 2 })
    const config = { apiKeys: [{ id: 'key-1', key: 'gw_3kZp9QvX7LmN2RtY', consumerId: 'agent-prod' }] }
    expect(await home.run('keys revoke', ['key-1'], { config })).toMatchObject({ exit: 3, err: expect.stringContaining('enabled: false') })
  })
})

describe('the record', () => {
  const types = (events: readonly AdminEvent[]): unknown[] => events.map(({ type, detail }) => [type, detail.key])

  it('gets what was done before the start and while the gateway runs, in order, once, without the key', async () => {
    const { out: first } = await home.run('keys create', ['My Agent', 'agent-1', 'reader'])
    const gateway = await home.start()
    expect(home.recorded).toEqual([
      {
        type: 'key.create',
        actor: { id: 'cli:tester', uid: 1000 },
        detail: {
          key: first.slice(4, 12),
          roles: ['reader'],
          at: '2026-01-01T00:00:00.000Z',
          eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
        about: { tenant: 'default', id: 'agent-1', detail: { name: 'My Agent', principal: 'agent-1', tenant: 'default' } },
      },
    ])
    const { out: second } = await home.run('keys create', ['Other', 'agent-2'])
    await home.run('keys revoke', [first])
    gateway.tick()
    await gateway.stop()
    await (await home.start()).stop()
    const [one, two] = [first.slice(4, 12), second.slice(4, 12)]
    expect(types(home.recorded)).toEqual([
      ['key.create', one],
      ['key.create', two],
      ['key.revoke', one],
    ])
    expect(JSON.stringify(home.recorded)).not.toContain(first.slice(13))
  })

  it('gets later what it could not take at once', async () => {
    await home.run('keys create', ['a', 'agent-1'])
    const taken: AdminEvent[] = []
    let isFull = true
    const gateway = await home.start(
      {},
      {
        event: async event => {
          if (isFull) throw new Error('disk full')
          taken.push(event)
        },
      },
    )
    gateway.tick()
    expect(gateway.warnings).toHaveLength(1)
    isFull = false
    await expect.poll(() => [gateway.tick(), taken.length][1]).toBe(1)
    await gateway.stop()
    expect(taken.map(event => event.type)).toEqual(['key.create'])
  })

  it('gets what is written while it is being told', async () => {
    await home.run('keys create', ['a', 'agent-1'])
    const taken: AdminEvent[] = []
    const gateway = await home.start(
      {},
      {
        event: async event => {
          if (taken.push(event) === 1) await home.run('keys create', ['b', 'agent-2'])
        },
      },
    )
    expect(taken.map(event => event.about?.id)).toEqual(['agent-1', 'agent-2'])
    await gateway.stop()
  })

  it('gets it at once where the command has a recorder, and not again from a gateway', async () => {
    const recorded: AdminEvent[] = []
    const { out: key } = await home.run('keys create', ['a', 'agent-1'], { record: recorded })
    await home.run('keys revoke', [key], { record: recorded })
    await (await home.start()).stop()
    expect(types(recorded)).toEqual([
      ['key.create', key.slice(4, 12)],
      ['key.revoke', key.slice(4, 12)],
    ])
    expect(home.recorded).toEqual([])
  })

  it('is told by one process only, and by the gateway where the command died over it', async () => {
    const gateway = await home.start()
    const store = openKeyStore(createStores({ dataDir: home.dir }), 'keys.db')
    await home.run('keys create', ['a', 'agent-1'])
    // As a command does that has not recorded it yet.
    expect(store.take(gateway.now)).toHaveLength(1)
    gateway.tick()
    expect(home.recorded).toEqual([])
    gateway.now += 10_001
    await expect.poll(() => [gateway.tick(), home.recorded.length][1]).toBe(1)
    store.close()
    await gateway.stop()
  })

  it('is waited for by the events of a gateway that has none', async () => {
    await home.run('keys create', ['a', 'agent-1'])
    const without = await home.start({}, null)
    await without.stop()
    await (await home.start()).stop()
    expect(home.recorded).toHaveLength(1)
  })
})
