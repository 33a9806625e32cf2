// Each request is identified by its one credential alone; whatever is not a live key is refused, and all refusals look alike.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { RequestVerdict } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { openKeyStore } from '../../../plugins/auth/store.ts'
import { type Home, makeHome, type Started, startOfTests, stdioPeer } from './gateway.ts'

let home: Home
let gateway: Started
let key: string
let id: string
beforeEach(async () => {
  home = makeHome()
  const made = await home.run('keys create', ['My Agent', 'agent-1', 'reader,writer'], { json: true, tenant: 'acme' })
  ;({ key, id } = JSON.parse(made.out) as { key: string; id: string })
  gateway = await home.start()
})
afterEach(async () => {
  await gateway.stop()
  home.remove()
})

const publicPart = (verdict: RequestVerdict): unknown => (verdict.kind === 'deny' ? [verdict.code, verdict.reason] : verdict.kind)

describe('a request over HTTP', () => {
  it.each([
    ['Authorization: Bearer', () => ({ authorization: `Bearer ${key}` })],
    ['authorization in another case', () => ({ authorization: `bEARER  ${key}` })],
    ['X-API-Key', () => ({ 'x-api-key': key })],
  ])('is its principal with the key as %s', async (_, headers) => {
    expect(await gateway.present(headers())).toEqual({
      kind: 'identify',
      principal: {
        id: 'agent-1',
        name: 'My Agent',
        roles: ['reader', 'writer'],
        tenant: 'acme',
        claims: {},
        via: { method: 'api-key', keyId: id },
      },
    })
  })

  it('carries the claims of its key, in objects without a prototype', async () => {
    const claims = '{"customer_id":"c-1","__proto__":{"admin":true},"teams":[{"id":7}]}'
    const { out } = await home.run('keys create', ['Desk', 'desk-1'], { claims })
    gateway.tick()
    const verdict = await gateway.present({ 'x-api-key': out.trim() })
    const given = (verdict as { principal: { claims: Record<string, unknown> } }).principal.claims
    expect(JSON.parse(JSON.stringify(given))).toEqual(JSON.parse(claims))
    expect([Object.getPrototypeOf(given), 'admin' in given, Object.isFrozen(given.teams)]).toEqual([null, false, true])
  })

  it('is unauthenticated without a credential, whatever came before on the connection', async () => {
    await gateway.present({ 'x-api-key': key })
    expect(await gateway.present({})).toMatchObject({ kind: 'deny', code: 'unauthenticated' })
    expect(await gateway.present({ cookie: `key=${key}`, 'proxy-authorization': `Bearer ${key}` })).toMatchObject({
      code: 'unauthenticated',
    })
  })

  it.each<[string, () => Record<string, string | string[]>]>([
    ['both headers', () => ({ authorization: `Bearer ${key}`, 'x-api-key': key })],
    ['Authorization twice', () => ({ authorization: [`Bearer ${key}`, 'Bearer other'] })],
    ['the same value twice', () => ({ 'x-api-key': [key, key] })],
    ['an empty one beside', () => ({ authorization: `Bearer ${key}`, 'x-api-key': '' })],
    ['Basic beside', () => ({ authorization: 'Basic dTpw', 'x-api-key': key })],
  ])('is refused with more than one credential: %s', async (_, headers) => {
    expect(await gateway.present(headers())).toMatchObject({ kind: 'deny', code: 'many-credentials' })
  })

  it('gets one and the same answer for unknown, wrong, malformed, expired and revoked keys', async () => {
    const expiring = await home.run('keys create', ['Short', 'agent-2'], { expires: '1h' })
    const revoked = await home.run('keys create', ['Gone', 'agent-3'])
    await home.run('keys revoke', [revoked.out])
    gateway.tick()
    gateway.now = startOfTests + 3_600_000
    const flipped = `${key.slice(0, -2)}${key.at(-2) === 'A' ? 'B' : 'A'}${key.at(-1)}`
    const tries = [
      'x',
      flipped,
      `${key}x`,
      key.slice(0, -1),
      `mgk_${id}_${'A'.repeat(43)}`,
      `${key},${key}`,
      expiring.out,
      revoked.out,
      '',
      ' ',
      'ключ',
    ]
    const answers = new Set<string>()
    for (const value of tries) {
      answers.add(JSON.stringify(publicPart(await gateway.present({ 'x-api-key': value }))))
      answers.add(JSON.stringify(publicPart(await gateway.present({ authorization: `Bearer ${value}` }))))
    }
    for (const value of [
      key,
      `Basic ${Buffer.from(`u:${key}`).toString('base64')}`,
      `Bearer ${key} ${key}`,
      `Bearer ${key}, Bearer ${key}`,
    ]) {
      answers.add(JSON.stringify(publicPart(await gateway.present({ authorization: value }))))
    }
    expect([...answers]).toEqual(['["bad-credential","authentication failed"]'])
  })

  it('tells the record, not the caller, why a key no longer holds, and never the key', async () => {
    const expiring = await home.run('keys create', ['Short', 'agent-2'], { expires: '1h', json: true })
    const short = JSON.parse(expiring.out) as { id: string; key: string }
    gateway.tick()
    gateway.now = startOfTests + 3_599_999
    expect(await gateway.present({ 'x-api-key': short.key })).toMatchObject({ kind: 'identify' })
    gateway.now += 1
    const verdict = await gateway.present({ 'x-api-key': short.key })
    expect(verdict).toMatchObject({ code: 'bad-credential', detail: `key ${short.id} has expired` })
    expect(JSON.stringify(verdict)).not.toContain(short.key.slice(13))
  })

  it('is never identified by what the store holds', async () => {
    const store = openKeyStore(createStores({ dataDir: home.dir }), 'keys.db')
    const [stored] = store.all()
    store.close()
    const digest = Buffer.from(stored!.digest)
    const pepper = readFileSync(join(home.dir, 'keys.pepper'))
    const forms = [
      digest.toString('hex'),
      digest.toString('base64'),
      digest.toString('base64url'),
      digest.toString('latin1'),
      id,
      `mgk_${id}`,
    ]
    forms.push(createHash('sha256').update(key).digest('hex'), pepper.toString('hex'))
    for (const value of forms)
      expect(publicPart(await gateway.present({ 'x-api-key': value }))).toEqual(['bad-credential', 'authentication failed'])
  })

  it('is refused for any other text than the key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.stringMatching(/^mgk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/)), async text => {
        expect((await gateway.present({ 'x-api-key': text })).kind).toBe('deny')
        expect((await gateway.present({ authorization: `Bearer ${text}` })).kind).toBe('deny')
      }),
    )
  })
})

describe('a request that is not over HTTP, or not of the client', () => {
  it('is the configured principal over stdio', async () => {
    expect(await gateway.present({}, { peer: stdioPeer })).toMatchObject({
      kind: 'identify',
      principal: { id: 'local', roles: [], tenant: 'default', via: { method: 'stdio' } },
    })
    const other = await home.start({ stdio: { id: 'me', roles: ['admin'], tenant: 'acme' } })
    expect(await other.present({}, { peer: stdioPeer })).toMatchObject({ principal: { id: 'me', roles: ['admin'], tenant: 'acme' } })
    await other.stop()
  })

  it('passes on its way to the client: the call it belongs to was identified', async () => {
    expect(await gateway.present({}, { direction: 'to-client' })).toEqual({ kind: 'pass' })
  })
})

describe('a running gateway', () => {
  it('takes over created and revoked keys at its next look, at most 500 ms later', async () => {
    const { out } = await home.run('keys create', ['Late', 'agent-9'])
    gateway.tick()
    expect((await gateway.present({ 'x-api-key': out })).kind).toBe('identify')
    await home.run('keys revoke', [out])
    gateway.tick()
    expect(await gateway.present({ 'x-api-key': out })).toMatchObject({ code: 'bad-credential' })
    expect((await gateway.present({ 'x-api-key': key })).kind).toBe('identify')
    expect(new Set(gateway.waits)).toEqual(new Set([500]))
  })

  it('lets nobody in by key while the store cannot be read, says so in health, and recovers', async () => {
    const stores = createStores({ dataDir: home.dir })
    const db = stores.open('keys.db')
    db.exec('ALTER TABLE keys RENAME TO elsewhere')
    gateway.tick()
    await expect(gateway.present({ 'x-api-key': key })).rejects.toThrow('the key store cannot be read')
    expect(gateway.health.at(-1)).toBe('the key store cannot be read')
    expect((await gateway.present({}, { peer: stdioPeer })).kind).toBe('identify')
    db.exec('ALTER TABLE elsewhere RENAME TO keys')
    db.close()
    gateway.tick()
    expect((await gateway.present({ 'x-api-key': key })).kind).toBe('identify')
    expect(gateway.health.at(-1)).toBeUndefined()
  })
})
