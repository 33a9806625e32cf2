// keys rotate and keys import: clients are moved over without a gap, and what stood in a config as plain text goes on from the key store.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { openKeyStore } from '../../../plugins/auth/store.ts'
import type { StoredKey } from '../../../plugins/auth/stored-key.ts'
import { type Home, makeHome, type Started, startOfTests } from './gateway.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home.remove())

const hour = 3_600_000
const stored = (): StoredKey[] => {
  const store = openKeyStore(createStores({ dataDir: home.dir }), 'keys.db')
  const all = store.all()
  store.close()
  return all
}
const kindOf = async (gateway: Started, key: string): Promise<string> => (await gateway.present({ 'x-api-key': key })).kind

describe('keys rotate', () => {
  it('makes a key for the same principal; the old one holds for the overlap and then no more', async () => {
    const { out: old } = await home.run('keys create', ['CI', 'ci-bot', 'reader'], {
      tenant: 'acme',
      claims: '{"team":"x"}',
      expires: '90d',
    })
    const gateway = await home.start()
    const made = await home.run('keys rotate', [old.slice(4, 12)], { overlap: '2h', now: startOfTests + hour })
    expect(made.exit, made.err).toBe(0)
    expect(made.err).toContain(`in place of ${old.slice(4, 12)}, which holds until 2026-01-01T03:00:00.000Z`)
    gateway.tick()
    const [one, two] = [await gateway.present({ 'x-api-key': old }), await gateway.present({ 'x-api-key': made.out })]
    const who = { id: 'ci-bot', name: 'CI', roles: ['reader'], tenant: 'acme', claims: { team: 'x' } }
    expect([one, two]).toMatchObject([{ principal: who }, { principal: { ...who, via: { keyId: made.out.slice(4, 12) } } }])
    gateway.now = startOfTests + 3 * hour
    expect([await kindOf(gateway, old), await kindOf(gateway, made.out)]).toEqual(['deny', 'identify'])
    expect(stored().map(({ createdAt, expiresAt }) => expiresAt! - createdAt)).toEqual([3 * hour, 90 * 24 * hour])
    await gateway.stop()
    expect(home.recorded.map(({ type, detail }) => [type, detail.key, detail.to])).toEqual([
      ['key.create', old.slice(4, 12), undefined],
      ['key.create', made.out.slice(4, 12), undefined],
      ['key.rotate', old.slice(4, 12), made.out.slice(4, 12)],
    ])
  })

  it('with no overlap ends the old key, and what is open under it, at once', async () => {
    const { out: old } = await home.run('keys create', ['CI', 'ci-bot'])
    const gateway = await home.start()
    gateway.open.set(old.slice(4, 12), { sessions: 1, requests: 0 })
    const { out: key } = await home.run('keys rotate', [old], { overlap: '0' })
    gateway.tick()
    expect([await kindOf(gateway, old), await kindOf(gateway, key), gateway.open.size]).toEqual(['deny', 'identify', 0])
    await gateway.stop()
  })

  it('never makes the old key hold longer than it was to', async () => {
    const { out: old } = await home.run('keys create', ['CI', 'ci-bot'], { expires: '1h' })
    await home.run('keys rotate', [old], { overlap: '9w' })
    expect(stored().find(({ id }) => id === old.slice(4, 12))?.expiresAt).toBe(startOfTests + hour)
  })

  it('makes nothing of a key that is unknown, revoked or expired, or of words it does not understand', async () => {
    const { out: gone } = await home.run('keys create', ['a', 'b'])
    await home.run('keys revoke', [gone])
    const { out: late } = await home.run('keys create', ['a', 'b'], { expires: '1h' })
    const { out: good } = await home.run('keys create', ['a', 'b'])
    const tries: [string, Record<string, string | number>, number][] = [
      ['aaaaaaaa', {}, 3],
      [gone, {}, 3],
      [late, { now: startOfTests + hour }, 3],
      ['no id', {}, 2],
      [good, { overlap: '1' }, 2],
      [good, { overlap: '-1h' }, 2],
      [good, { expires: 'soon' }, 2],
    ]
    for (const [id, options, exit] of tries) expect(await home.run('keys rotate', [id], options)).toMatchObject({ exit, out: '' })
    expect(stored()).toHaveLength(3)
  })
})

describe('keys list --tenant', () => {
  it('shows the keys of that tenant alone, those of the config included', async () => {
    await home.run('keys create', ['a', 'agent-1'], { tenant: 'acme' })
    await home.run('keys create', ['b', 'agent-2'])
    const apiKeys = [
      { id: 'key-1', key: 'gw_3kZp9QvX7LmN2RtY', consumerId: 'agent-3', tenant: 'acme' },
      { id: 'key-2', key: 'gw_9mBq4WcE8HsT6JnA', consumerId: 'agent-4' },
    ]
    const { out } = await home.run('keys list', [], { tenant: 'acme', json: true, config: { apiKeys } })
    expect((JSON.parse(out) as { keys: { principal: string }[] }).keys.map(({ principal }) => principal)).toEqual(['agent-1', 'agent-3'])
  })
})

describe('keys import', () => {
  const key = 'gw_3kZp9QvX7LmN2RtY'
  const apiKeys = [
    { id: 'key-1', key, name: 'Production Agent', consumerId: 'agent-prod', roles: ['reader'], tenant: 'acme', claims: { team: 'x' } },
    { id: 'key-2', key: 'gw_off', consumerId: 'agent-off', enabled: false },
  ]

  it('keeps clients and ids working when the keys are taken out of the config, and shows no key', async () => {
    const { exit, out, err } = await home.run('keys import', [], { config: { apiKeys } })
    expect([exit, out]).toEqual([0, 'key-1  imported\nkey-2  disabled'])
    expect(err).toContain('Now take key-1, key-2 out of the config')
    const before = await home.start({ apiKeys })
    const given = await before.present({ 'x-api-key': key })
    await before.stop()
    const after = await home.start()
    expect(await after.present({ 'x-api-key': key })).toEqual(given)
    expect(given).toMatchObject({ principal: { id: 'agent-prod', tenant: 'acme', roles: ['reader'], via: { keyId: 'key-1' } } })
    await after.stop()
    expect(home.recorded.map(({ type, detail }) => [type, detail.key])).toEqual([['key.create', 'key-1']])
    expect(out + err + JSON.stringify(home.recorded)).not.toContain(key)
    expect(readFileSync(join(home.dir, 'keys.db')).toString('latin1')).not.toContain(key)
  })

  it('can be run again, and a key that was revoked since stays revoked while it still stands in the config', async () => {
    await home.run('keys import', [], { config: { apiKeys } })
    expect((await home.run('keys import', [], { config: { apiKeys } })).out).toContain('key-1  there already')
    const gateway = await home.start({ apiKeys })
    expect(await kindOf(gateway, key)).toBe('identify')
    gateway.open.set('key-1', { sessions: 1, requests: 0 })
    expect(await home.run('keys revoke', ['key-1'], { config: { apiKeys } })).toMatchObject({ exit: 0 })
    gateway.tick()
    expect([await kindOf(gateway, key), gateway.open.size]).toEqual(['deny', 0])
    await home.run('keys import', [], { config: { apiKeys } })
    gateway.tick()
    expect(await kindOf(gateway, key)).toBe('deny')
    await gateway.stop()
  })

  it('leaves a key disabled that the config disables, though the store has it', async () => {
    await home.run('keys import', [], { config: { apiKeys } })
    const gateway = await home.start({ apiKeys: [{ ...apiKeys[0], enabled: false }] })
    expect(await kindOf(gateway, key)).toBe('deny')
    await gateway.stop()
  })

  it('refuses weak keys as the start does, and an id that another key has, and imports nothing then', async () => {
    const weak = [apiKeys[0], { id: 'key-3', key: 'gw_your_key_here', consumerId: 'agent-3' }]
    const refused = await home.run('keys import', [], { config: { apiKeys: weak } })
    expect(refused).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('apiKeys[1] (key-3): the key is the placeholder') })
    const { out } = await home.run('keys create', ['a', 'b'])
    const clash = [apiKeys[0], { id: out.slice(4, 12), key: 'gw_9mBq4WcE8HsT6JnA', consumerId: 'agent-3' }]
    expect(await home.run('keys import', [], { config: { apiKeys: clash } })).toMatchObject({ exit: 3, out: '' })
    expect(stored()).toHaveLength(1)
    expect(await home.run('keys import', [])).toMatchObject({ exit: 0, out: '' })
  })
})
