// auth refuses to start on anything that would let somebody in by accident, and says how to mend it.
import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { configSchema } from '../../../plugins/auth/config.ts'
import { type Home, makeHome } from './gateway.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home.remove())

const goodKey = 'gw_3kZp9QvX7LmN2RtY'
const entry = { id: 'key-1', key: goodKey, name: 'Production Agent', consumerId: 'agent-prod', roles: ['reader', 'writer'], enabled: true }

describe('the pepper', () => {
  it('is made at first use, for its owner alone, and stays', async () => {
    await (await home.start()).stop()
    const path = join(home.dir, 'keys.pepper')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const pepper = readFileSync(path)
    expect(pepper).toHaveLength(32)
    await (await home.start()).stop()
    expect(readFileSync(path)).toEqual(pepper)
  })

  it.each([0o640, 0o604, 0o620, 0o602, 0o666])('is refused with mode %o', async mode => {
    await (await home.start()).stop()
    chmodSync(join(home.dir, 'keys.pepper'), mode)
    await expect(home.start()).rejects.toThrow(`chmod 600 ${join(home.dir, 'keys.pepper')}`)
  })

  it('is refused where it is a link, has another size, or is not the one the keys were made under', async () => {
    const path = join(home.dir, 'keys.pepper')
    await home.run('keys create', ['a', 'b'])
    const pepper = readFileSync(path)
    rmSync(path)
    await expect(home.start()).rejects.toThrow('is not the pepper that the keys in keys.db were made under')
    writeFileSync(path, pepper.subarray(1))
    await expect(home.start()).rejects.toThrow('is no pepper')
    writeFileSync(join(home.dir, 'real'), pepper, { mode: 0o600 })
    rmSync(path)
    symlinkSync('real', path)
    await expect(home.start()).rejects.toThrow('no link')
  })
})

describe('the key store', () => {
  it('is refused where others may read or change it', async () => {
    await (await home.start()).stop()
    chmodSync(join(home.dir, 'keys.db'), 0o660)
    await expect(home.start()).rejects.toThrow(`chmod 600 ${join(home.dir, 'keys.db')}`)
    expect(statSync(join(home.dir, 'keys.db')).mode & 0o777).toBe(0o660)
  })

  it.each(['keys.db', 'keys.pepper'])('where others may read %s a command says so, how to mend it, and ends with 3', async file => {
    await home.run('keys create', ['a', 'agent-1'])
    chmodSync(join(home.dir, file), 0o644)
    const made = await home.run('keys create', ['b', 'agent-1'])
    expect(made).toEqual({ exit: 3, out: '', err: expect.stringContaining(`chmod 600 ${join(home.dir, file)}`) })
    if (file === 'keys.pepper') return
    for (const verb of ['keys list', 'keys revoke', 'keys rotate'])
      expect(await home.run(verb, ['aaaaaaaa'])).toEqual({ exit: 3, out: '', err: expect.stringContaining('has mode 0644') })
  })

  it('that is no database is told by a command, too, and is no bug', async () => {
    writeFileSync(join(home.dir, 'keys.db'), 'no database at all, and long enough to be taken for one'.repeat(20), { mode: 0o600 })
    expect(await home.run('keys list', [])).toMatchObject({ exit: 3, out: '' })
  })

  it('is refused where a later version has written it', async () => {
    await (await home.start()).stop()
    const db = createStores({ dataDir: home.dir }).open('keys.db')
    db.exec('PRAGMA user_version = 99')
    db.close()
    await expect(home.start()).rejects.toThrow(/newer version/)
  })

  it('of a gateway before keys had claims is taken over, and its keys still hold', async () => {
    const { out } = await home.run('keys create', ['a', 'agent-1', 'reader'])
    const db = createStores({ dataDir: home.dir }).open('keys.db')
    for (const trigger of ['made', 'changed', 'gone']) db.exec(`DROP TRIGGER key_${trigger}`)
    db.exec(
      'ALTER TABLE keys DROP COLUMN rate; ALTER TABLE keys DROP COLUMN claims; ALTER TABLE events DROP COLUMN taken_at; DROP TABLE changes; DROP TABLE last_uses; PRAGMA user_version = 1',
    )
    db.close()
    const gateway = await home.start()
    expect(await gateway.present({ 'x-api-key': out.trim() })).toMatchObject({ kind: 'identify', principal: { id: 'agent-1', claims: {} } })
    await gateway.stop()
  })

  it('holds no key and no part of its secret', async () => {
    const { out } = await home.run('keys create', ['a', 'b'])
    await (await home.start()).stop()
    const bytes = readFileSync(join(home.dir, 'keys.db'))
    expect(bytes.includes(out.slice(4, 12))).toBe(true)
    for (let at = 13; at + 8 <= out.length; at++) expect(bytes.includes(out.slice(at, at + 8))).toBe(false)
  })
})

describe('keys in the config', () => {
  it('identify their consumer, with a warning that does not show them', async () => {
    const gateway = await home.start({ apiKeys: [entry, { id: 'key-2', key: `${goodKey}2`, consumerId: 'x', enabled: false }] })
    expect(await gateway.present({ 'x-api-key': goodKey })).toMatchObject({
      principal: { id: 'agent-prod', name: 'Production Agent', roles: ['reader', 'writer'], tenant: 'default', via: { keyId: 'key-1' } },
    })
    expect(await gateway.present({ 'x-api-key': `${goodKey}2` })).toMatchObject({ code: 'bad-credential', detail: 'key key-2 is disabled' })
    expect(gateway.warnings).toHaveLength(1)
    expect(gateway.warnings[0]).toContain('["key-1"]')
    expect(gateway.warnings.join()).not.toContain(goodKey)
    await gateway.stop()
  })

  it.each([
    ['', 'is empty'],
    ['gw_your_key_here', 'is the placeholder of an example'],
    ['gw_changeme_changeme', 'is the placeholder of an example'],
    ['gw_default_key_00000', 'is the placeholder of an example'],
    ['gw_3kZp9QvX7LmN', 'has fewer than 16 characters'],
    ['gw_aaaaaaaaaaaaaaaaaaa', 'has fewer than 8 different characters'],
    ['gw_3kZp9QvX 7LmN2RtY', 'holds characters that a header cannot carry'],
    ['gw_3kZp9QvX,7LmN2RtY', 'holds characters that a header cannot carry'],
    ['gw_ключключключ_abcdef', 'holds characters that a header cannot carry'],
  ])('are refused where anybody could guess them or nobody could send them: %j', async (key, why) => {
    const message = await home.start({ apiKeys: [{ ...entry, key }] }).then(
      () => 'started',
      (error: Error) => error.message,
    )
    expect(message).toContain(`apiKeys[0] (key-1): the key ${why}`)
    if (key !== '') expect(message).not.toContain(key)
  })

  it('are refused where two entries share a key or an id', async () => {
    await expect(home.start({ apiKeys: [entry, { ...entry, id: 'key-2' }] })).rejects.toThrow('the same key')
    await expect(home.start({ apiKeys: [entry, { ...entry, key: `${goodKey}2` }] })).rejects.toThrow('the same id')
  })
})

describe('the config', () => {
  it.each<[string, unknown]>([
    ['an unknown key', { apikeys: [] }],
    ['an unknown key of a key', { apiKeys: [{ ...entry, rolez: [] }] }],
    ['roles as one text', { apiKeys: [{ ...entry, roles: 'reader' }] }],
    ['roles as an object', { apiKeys: [{ ...entry, roles: { 0: 'reader' } }] }],
    ['a role that is no text', { apiKeys: [{ ...entry, roles: [1] }] }],
    ['a wildcard role', { stdio: { roles: ['*'] } }],
    ['two roles in one text', { stdio: { roles: ['reader,admin'] } }],
    ['an empty role', { stdio: { roles: [''] } }],
    ['enabled as text', { apiKeys: [{ ...entry, enabled: 'false' }] }],
    ['a key that is no text', { apiKeys: [{ ...entry, key: 1234567890123456 }] }],
    ['a consumer of several lines', { apiKeys: [{ ...entry, consumerId: 'a\nb' }] }],
  ])('is refused with %s', (_, config) => {
    expect(configSchema.safeParse(config).success).toBe(false)
  })

  it('needs nothing, and gives a stdio client no role', () => {
    expect(configSchema.parse({})).toEqual({
      keys: { path: 'keys.db', pepper: 'keys.pepper', shared: false, outage: 300 },
      failures: { limit: 60, window: 60 },
      gateways: [],
      apiKeys: [],
      certificates: [],
      jwt: [],
      stdio: { id: 'local', roles: [], tenant: 'default', claims: {} },
    })
  })
})
