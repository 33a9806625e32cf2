// A token whose id an API key or a certificate has too: another owner, and said at the start, as policies go by tenant and id.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ownerOf } from '../../../core/owner.ts'
import { type Home, httpPeer, makeHome, type Started } from './gateway.ts'
import { audience, issuer, makeKey, makeToken } from './tokens.ts'

let home: Home
let gateway: Started
beforeEach(() => {
  home = makeHome()
})
afterEach(async () => {
  await gateway.stop()
  home.remove()
})

const key = makeKey('k1')
const entry = { issuer, audience, jwks: { keys: [key.jwk] } }
const fingerprint = 'ab'.repeat(32)
const certificates = [{ match: { fingerprint }, principal: { id: 'user-1' } }]

it('a key, a certificate, tokens of two issuers and a stdio client with one id in one tenant are five owners', async () => {
  const { out } = await home.run('keys create', ['Agent', 'user-1'])
  const other = { ...entry, issuer: 'https://b.example', idPrefix: 'user-' }
  gateway = await home.start({ jwt: [{ ...entry, idPrefix: 'a:' }, other], certificates, stdio: { id: 'user-1' } })
  const bearer = (token: string) => ({ peer: httpPeer({ authorization: `Bearer ${token}` }) })
  const peers = [
    bearer(out),
    bearer(makeToken(key)),
    bearer(makeToken(key, { iss: other.issuer, sub: '1' })),
    { peer: httpPeer({}, { certificate: { fingerprint, names: [], commonName: undefined } as never }) },
    { peer: { transport: 'stdio', header: () => [] } as const },
  ]
  const ids: string[] = []
  const owners = new Set<string>()
  for (const more of peers) {
    const verdict = await gateway.present({}, more)
    if (verdict.kind !== 'identify') throw new Error(JSON.stringify(verdict))
    ids.push(verdict.principal.id)
    owners.add(ownerOf(verdict.principal))
  }
  expect(ids).toEqual(['user-1', 'a:user-1', 'user-1', 'user-1', 'user-1'])
  expect(owners.size).toBe(5)
})

it.each<[string, object, readonly string[]]>([
  ['without a prefix', {}, ['(desk, ext:2, user-1 and 1 more)']],
  ['with a prefix that a key has', { idPrefix: 'ext:' }, ['(ext:2)']],
  ['with a prefix that none has', { idPrefix: 'jwt:' }, []],
  ['for another tenant', { tenant: 'acme' }, []],
  ['whose claim says the tenant', { claims: { tenant: 'org' } }, ['(desk, ext:2, user-1 and 1 more)']],
  ['whose claim says one of other tenants', { claims: { tenant: 'org' }, tenants: ['acme', 'b'] }, []],
])('of an issuer %s, the start warns of the ids that its tokens could have', async (_, more, expected) => {
  for (const [i, id] of ['user-1', 'ext:2', 'user-3'].entries())
    await home.run('keys create', ['Agent', id], { now: Date.UTC(2026, 0, 1) - 10 + i })
  await home.run('keys create', ['Over', 'ext:over', ''], { expires: '1m', now: Date.UTC(2025, 0, 1) })
  gateway = await home.start({ jwt: [{ ...entry, ...more }], certificates: [{ match: { fingerprint }, principal: { id: 'desk' } }] })
  const said = gateway.warnings.filter(line => line.includes('idPrefix'))
  expect(said.length).toBe(expected.length)
  for (const [i, text] of expected.entries()) expect(said[i]).toContain(text)
})

it.each<[string, object, string[], boolean]>([
  ['the issuer could name it', {}, ['user-1'], true],
  ['it is of another tenant', {}, ['user-1', 'acme'], false],
  ['a claim says the tenant', { claims: { tenant: 'org' } }, ['user-1', 'acme'], true],
  ['the prefix is another', { idPrefix: 'jwt:' }, ['user-1'], false],
])('keys create and keys import say so too where %s', async (_, more, [id, tenant = 'default'], isSaid) => {
  gateway = await home.start()
  const apiKeys = [{ id: 'k', key: 'gw_9f8e7d6c5b4a39281706', consumerId: id, tenant }]
  const config = { jwt: [{ ...entry, ...more }] }
  const said = [
    await home.run('keys create', ['Agent', id!], { config, tenant }),
    await home.run('keys import', [], { config: { ...config, apiKeys } }),
  ]
  const warning = `Warning: tokens of ${issuer} could have the id of an API key or a certificate (${id})`
  for (const { exit, out, err } of said) {
    expect([exit, out.includes('Warning'), err.includes(warning)], err).toEqual([0, false, isSaid])
  }
})
