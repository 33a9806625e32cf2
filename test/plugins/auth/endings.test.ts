// A key that ends takes along what callers have open under it, and that is on record; nobody else's is touched.
import { type AdminEvent, Recording } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { createEndings } from '../../../plugins/auth/endings.ts'
import { makePrincipal, type RingKey } from '../../../plugins/auth/ring.ts'
import { openKeyStore } from '../../../plugins/auth/store.ts'
import { type Home, makeHome, type Started, startOfTests } from './gateway.ts'

let home: Home
let gateway: Started
beforeEach(() => {
  home = makeHome()
})
afterEach(async () => {
  await gateway.stop()
  home.remove()
})

const idOf = (key: string): string => key.slice(4, 12)
const ends = (): unknown[] => home.recorded.filter(({ type }) => type === 'key.end').map(({ detail }) => [detail.key, detail.why])

describe('what is open under a key', () => {
  it('ends at the next look after another process revoked it, at most 500 ms later, and is on record beside the revocation', async () => {
    const { out: key } = await home.run('keys create', ['Gone', 'agent-1'], { tenant: 'acme' })
    const { out: other } = await home.run('keys create', ['Stays', 'agent-2'])
    gateway = await home.start()
    gateway.open.set(idOf(key), { sessions: 1, requests: 2 }).set(idOf(other), { sessions: 1, requests: 0 })
    gateway.tick()
    expect(gateway.open.size).toBe(2)
    await home.run('keys revoke', [key])
    gateway.tick()
    expect([...gateway.open.keys()]).toEqual([idOf(other)])
    await gateway.stop()
    expect(home.recorded.filter(({ type }) => type !== 'key.create')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'key.revoke', actor: { id: 'cli:tester', uid: 1000 } }),
        {
          type: 'key.end',
          detail: { key: idOf(key), why: 'revoked', sessions: 1, requests: 2 },
          about: { tenant: 'acme', id: 'agent-1', detail: { principal: 'agent-1', tenant: 'acme' } },
        },
      ]),
    )
    expect(new Set(gateway.waits)).toEqual(new Set([500]))
  })

  it('ends where its request was identified before the revocation and shows up only afterwards', async () => {
    const { out: key } = await home.run('keys create', ['Gone', 'agent-1'])
    gateway = await home.start()
    await home.run('keys revoke', [key])
    gateway.tick()
    gateway.open.set(idOf(key), { sessions: 0, requests: 1 })
    gateway.tick()
    expect(gateway.open.size).toBe(0)
  })

  it('ends when the key expires, and again where the clock was set back', async () => {
    const { out: key } = await home.run('keys create', ['Short', 'agent-1'], { expires: '1h' })
    gateway = await home.start()
    const open = (): Map<string, unknown> => gateway.open.set(idOf(key), { sessions: 1, requests: 0 })
    open()
    gateway.now = startOfTests + 3_599_999
    gateway.tick()
    expect(gateway.open.size).toBe(1)
    gateway.now += 1
    gateway.tick()
    expect(gateway.open.size).toBe(0)
    gateway.now = startOfTests
    for (let looks = 0; looks < 30; looks++) gateway.tick()
    open()
    gateway.tick()
    expect(gateway.open.size).toBe(1)
    gateway.now = startOfTests + 3_600_000
    gateway.tick()
    expect(gateway.open.size).toBe(0)
    await expect.poll(ends).toEqual([
      [idOf(key), 'expired'],
      [idOf(key), 'expired'],
    ])
  })

  it('ends when its key is erased with the person', async () => {
    const { out: key } = await home.run('keys create', ['Gone', 'agent-1'])
    gateway = await home.start()
    gateway.open.set(idOf(key), { sessions: 1, requests: 0 })
    const store = openKeyStore(createStores({ dataDir: home.dir }), 'keys.db')
    store.erase('agent-1', undefined, startOfTests, { id: 'cli:tester' })
    store.close()
    gateway.tick()
    expect(gateway.open.size).toBe(0)
    await expect.poll(ends).toEqual([[idOf(key), 'removed']])
  })

  it('stays where the key never held, and where nothing ended', async () => {
    const { out: key } = await home.run('keys create', ['Before', 'agent-1'])
    await home.run('keys revoke', [key])
    gateway = await home.start()
    gateway.open.set('stranger', { sessions: 1, requests: 0 })
    await home.run('keys create', ['Late', 'agent-9'])
    gateway.tick()
    expect(gateway.open.size).toBe(1)
    expect(ends()).toEqual([])
  })
})

describe('the record of what ended', () => {
  const ringKey = (id: string, closed?: 'revoked'): RingKey => ({
    id,
    digest: id.padEnd(32),
    principal: makePrincipal('agent-1', undefined, [], 'default', { method: 'api-key', keyId: id }),
    ...(closed && { closed }),
  })

  it('is tried again until it is there, once', async () => {
    gateway = await home.start()
    const recorded: AdminEvent[] = []
    const warnings: string[] = []
    let isFull = true
    const recording: Recording = {
      async event(event) {
        if (isFull) throw new Error('disk full')
        recorded.push(event)
      },
    }
    let open = 1
    const endings = createEndings({
      expel(isMeant) {
        const sessions = isMeant(ringKey('a').principal) ? open : 0
        open -= sessions
        return { sessions, requests: 0 }
      },
      find: <T>(service: unknown) => (service === Recording ? (recording as T) : undefined),
      log: { debug() {}, info() {}, error() {}, warn: message => void warnings.push(message) },
    })
    for (const id of ['a', 'b']) endings.change(undefined, ringKey(id))
    endings.look(1)
    endings.change(ringKey('a'), ringKey('a', 'revoked'))
    endings.look(2)
    await endings.idle()
    expect([recorded.length, warnings.length]).toEqual([0, 1])
    isFull = false
    for (let at = 3; at < 40; at++) endings.look(at)
    await endings.idle()
    expect(recorded.map(({ detail }) => detail)).toEqual([{ key: 'a', why: 'revoked', sessions: 1, requests: 0 }])
  })
})
