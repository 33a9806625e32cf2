// Tokens: what stops the start, because somebody could come in by it who should not.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configSchema } from '../../../plugins/auth/config.ts'
import { type Home, makeHome } from './gateway.ts'
import { audience, issuer, makeKey, makeToken } from './tokens.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home.remove())

const key = makeKey('k1')
const entry = { issuer, audience, jwks: { keys: [key.jwk] } }
const privateJwk = { ...key.privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }

describe('the config', () => {
  it.each<[string, unknown, string]>([
    ['no audience', { ...entry, audience: undefined }, 'expected an audience'],
    ['an empty audience', { ...entry, audience: '' }, 'expected an audience'],
    ['an audience of spaces', { ...entry, audience: [' '] }, 'expected an audience'],
    ['an empty list of audiences', { ...entry, audience: [] }, 'audience'],
    ['no issuer', { ...entry, issuer: undefined }, ''],
    ['an algorithm that shares a secret', { ...entry, algorithms: ['HS256'] }, ''],
    ['alg none', { ...entry, algorithms: ['none'] }, ''],
    ['no algorithm', { ...entry, algorithms: [] }, ''],
    ['more leeway than 60 s', { ...entry, leeway: 61 }, ''],
    ['an unknown key', { ...entry, audiences: ['x'] }, 'audiences'],
    ['a key set over plain http', { ...entry, jwks: 'http://login.example/keys' }, ''],
    ['metadata over plain http', { issuer: 'http://login.example', audience }, 'expected an https url'],
    ['metadata of what is no url', { issuer: 'login', audience }, 'expected an https url'],
    ['a tenant that is fixed and claimed', { ...entry, tenant: 'acme', claims: { tenant: 'org' } }, 'not both'],
    ['tenants that no claim says', { ...entry, tenants: ['acme'] }, 'claims.tenant'],
  ])('is refused with %s', (_, given, message) => {
    const checked = configSchema.safeParse({ jwt: [given] })
    expect(checked.success).toBe(false)
    expect(checked.error?.message).toContain(message)
  })

  it.each([
    ['the same issuer twice', [entry, entry]],
    ['two issuers that name principals alike', [entry, { ...entry, issuer: 'https://b.example' }]],
    [
      'a prefix within a prefix',
      [
        { ...entry, idPrefix: 'a:' },
        { ...entry, issuer: 'https://b.example', idPrefix: 'a:b' },
      ],
    ],
    [
      'tenants that a claim says',
      [
        { ...entry, claims: { tenant: 'org' } },
        { ...entry, issuer: 'https://b.example', tenant: 'acme' },
      ],
    ],
  ])('is refused with %s', (_, jwt) => {
    expect(configSchema.safeParse({ jwt }).error?.message).toMatch(/stands there twice|could name the same principal/)
  })

  it.each([
    [
      'prefixes of their own',
      [
        { ...entry, idPrefix: 'a:' },
        { ...entry, issuer: 'https://b.example', idPrefix: 'b:' },
      ],
    ],
    ['tenants of their own', [entry, { ...entry, issuer: 'https://b.example', tenant: 'acme' }]],
  ])('takes two issuers with %s', (_, jwt) => {
    expect(configSchema.safeParse({ jwt }).error).toBeUndefined()
  })
})

it('a resource is refused without an issuer that clients can be sent to', () => {
  const resource = { url: 'https://gw.example' }
  const why = 'a resource needs an issuer to send clients to'
  expect(configSchema.safeParse({ resource }).error?.message).toContain(why)
  expect(configSchema.safeParse({ resource, jwt: [{ ...entry, issuer: 'our-own' }] }).error?.message).toContain(why)
  expect(configSchema.safeParse({ resource, jwt: [entry] }).error).toBeUndefined()
})

it('a key set may lie at a url with a query, an issuer may not', () => {
  expect(configSchema.safeParse({ jwt: [{ ...entry, jwks: 'https://login.example/keys?app=1' }] }).error).toBeUndefined()
  expect(configSchema.safeParse({ jwt: [{ issuer: 'https://login.example?app=1', audience }] }).success).toBe(false)
})

describe('keys in the config', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['private', privateJwk, 'a private or shared key'],
    ['shared', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }, 'a private or shared key'],
    ['for encryption', { ...key.jwk, use: 'enc' }, 'not for signatures'],
    ['not for checking', { ...key.jwk, key_ops: ['sign'] }, 'not for signatures'],
    ['short', { kty: 'RSA', n: Buffer.alloc(128, 255).toString('base64url'), e: 'AQAB' }, 'fewer than 2048 bits'],
    ['not on the curve', { ...key.jwk, y: key.jwk.x }, 'a key that cannot be read'],
    ['of an unknown kind', { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' }, 'a kind of key that is not used'],
  ])('stop the start where one is %s', async (_, jwk, why) => {
    await expect(home.start({ jwt: [{ ...entry, jwks: { keys: [key.jwk, jwk] } }] })).rejects.toThrow(why)
  })
})

describe('keys in a file', () => {
  const write = (content: string, mode = 0o644): void => {
    writeFileSync(join(home.dir, 'keys.json'), content)
    chmodSync(join(home.dir, 'keys.json'), mode)
  }
  const start = () => home.start({ jwt: [{ ...entry, jwks: { file: 'keys.json' } }] })
  const good = JSON.stringify({ keys: [key.jwk] })

  it('count, and those of a later reload instead of them', async () => {
    write(good)
    const gateway = await start()
    const authorization = `Bearer ${makeToken(key)}`
    expect((await gateway.present({ authorization })).kind).toBe('identify')
    const next = makeKey('k2')
    write('{"keys":[]}')
    await expect(gateway.hooks.reload?.()).rejects.toThrow('no key that can be used')
    expect((await gateway.present({ authorization })).kind).toBe('identify')
    write(JSON.stringify({ keys: [next.jwk] }))
    await gateway.hooks.reload?.()
    expect(await gateway.present({ authorization })).toMatchObject({ code: 'bad-credential' })
    expect((await gateway.present({ authorization: `Bearer ${makeToken(next)}` })).kind).toBe('identify')
    await gateway.stop()
  })

  it.each<[string, () => void, string]>([
    ['is not there', () => {}, 'there is no such file'],
    ['others may change it', () => write(good, 0o646), 'chmod go-w'],
    ['it is no JSON', () => write('keys'), 'no JSON'],
    ['it has a key twice', () => write(`{"keys":[],"keys":${JSON.stringify([key.jwk])}}`), 'a key twice'],
    ['it holds private keys', () => write(JSON.stringify({ keys: [privateJwk] })), 'a private or shared key'],
  ])('stop the start where %s', async (_, prepare, why) => {
    prepare()
    await expect(start()).rejects.toThrow(why)
  })
})
