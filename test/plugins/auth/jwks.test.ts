// The keys of an issuer that is down, slow, lying or flooded: what was fetched counts for its stated time, strangers cause no fetches, and nothing opens.
import type { PluginContext } from 'mcpgw/plugin'
import { beforeEach, describe, expect, it } from 'vitest'
import { createFakeClock, type FakeClock } from '../../../core/testing/fake-clock.ts'
import { openRemoteKeys, type RemoteKeys } from '../../../plugins/auth/jwks.ts'
import { issuerSchema } from '../../../plugins/auth/jwt-config.ts'
import { createIssuer, type FakeIssuer, jsonAnswer, keysUrl, metadataUrl, textAnswer } from './issuer.ts'
import { audience, issuer, makeKey } from './tokens.ts'

const key = makeKey('k1')
const next = makeKey('k2')

let clock: FakeClock
let fake: FakeIssuer
let health: Parameters<PluginContext['health']>[0][]
let lines: string[]
let keys: RemoteKeys
beforeEach(() => {
  clock = createFakeClock()
  fake = createIssuer(key)
  health = []
  lines = []
  keys = open()
})

function open(more: object = {}, url?: string): RemoteKeys {
  const note = (message: string): void => void lines.push(message)
  const log = { debug: note, info: note, warn: note, error: note }
  const config = issuerSchema.parse({ issuer, audience, ...more })
  return openRemoteKeys(config, url, { outgoing: fake.outgoing, clock, log, health: state => health.push(state) })
}

const kindOf = async (kid: string, of = keys): Promise<string> => (await of.find(kid, 'ES256')).kind
const down = (): never => {
  throw new Error('https://login.example: ECONNREFUSED')
}

describe('the keys of an issuer', () => {
  it('are found through its metadata, once, and kept', async () => {
    keys.start()
    expect(await Promise.all([kindOf('k1'), kindOf('k1'), kindOf('k1')])).toEqual(['key', 'key', 'key'])
    expect(fake.asked).toEqual([metadataUrl, keysUrl])
    await clock.advance(599_000)
    expect(await kindOf('k1')).toBe('key')
    expect(fake.asked).toHaveLength(2)
    await clock.advance(1000)
    expect(fake.asked).toEqual([metadataUrl, keysUrl, keysUrl])
  })

  it('are found as RFC 8414 says where there is no OpenID metadata, with the path of the issuer', async () => {
    const tenant = `${issuer}/tenants/acme`
    fake.fault = url => {
      if (url === `${issuer}/.well-known/oauth-authorization-server/tenants/acme`) return jsonAnswer({ issuer: tenant, jwks_uri: keysUrl })
      return url === keysUrl ? undefined : jsonAnswer({}, 404)
    }
    expect(await kindOf('k1', open({ issuer: tenant }))).toBe('key')
    expect(fake.asked[0]).toBe(`${tenant}/.well-known/openid-configuration`)
  })

  it('are asked for where the operator says, without metadata', async () => {
    expect(await kindOf('k1', open({}, keysUrl))).toBe('key')
    expect(fake.asked).toEqual([keysUrl])
  })

  it('count as soon as a token names a new one, and no longer than the issuer has them', async () => {
    const found = await keys.find('k1', 'ES256')
    if (found.kind !== 'key') throw new Error('no key')
    expect(keys.holds(found.key)).toBe(true)
    fake.keys = [next]
    await clock.advance(30_000)
    expect(await kindOf('k2')).toBe('key')
    expect(await kindOf('k1')).toBe('unknown')
    expect(keys.holds(found.key)).toBe(false)
  })
})

describe('1,000 tokens with ids that nobody has', () => {
  it('cause one fetch in each cooldown, all at once or one after the other', async () => {
    await kindOf('k1')
    await clock.advance(30_000)
    const before = fake.asked.length
    expect(new Set(await Promise.all(Array.from({ length: 1000 }, (_, at) => kindOf(`random-${at}`))))).toEqual(new Set(['unknown']))
    expect(fake.asked.length - before).toBe(1)
    for (let at = 0; at < 1000; at++) expect(await kindOf(`later-${at}`)).toBe('unknown')
    await clock.advance(29_999)
    expect(await kindOf('x')).toBe('unknown')
    expect(fake.asked.length - before).toBe(1)
    await clock.advance(1)
    expect(await kindOf('x')).toBe('unknown')
    expect(fake.asked.length - before).toBe(2)
    expect(await kindOf('k1')).toBe('key')
  })

  it('cause the requests of one look for its metadata while the issuer was never there', async () => {
    fake.fault = () => jsonAnswer({}, 404)
    expect(new Set(await Promise.all(Array.from({ length: 1000 }, (_, at) => kindOf(`random-${at}`))))).toEqual(new Set(['unavailable']))
    expect(fake.asked).toHaveLength(2)
  })
})

describe('an issuer that is down', () => {
  it('leaves its keys in force for refresh and outage, degraded; then its tokens are refused, failing; then it recovers', async () => {
    await kindOf('k1')
    fake.fault = down
    await clock.advance(600_000)
    expect(health.at(-1)).toMatchObject({ status: 'degraded', why: expect.stringContaining('ECONNREFUSED') })
    await clock.advance(3_600_000)
    expect(await kindOf('k1')).toBe('key')
    const found = await keys.find('k1', 'ES256')
    await clock.advance(1)
    expect(await kindOf('k1')).toBe('unavailable')
    expect(found.kind === 'key' && keys.holds(found.key)).toBe(false)
    await clock.advance(30_000)
    expect(health.at(-1)).toMatchObject({ status: 'failing', why: expect.stringContaining('its tokens are refused') })
    fake.fault = undefined
    await clock.advance(30_000)
    expect(await kindOf('k1')).toBe('key')
    expect(health.at(-1)).toBeUndefined()
    expect(lines).toEqual(['the keys of an issuer cannot be fetched', 'the keys of an issuer are there again'])
  })

  it('is asked again once in each cooldown, for its metadata first', async () => {
    fake.fault = down
    keys.start()
    await clock.advance(0)
    expect(fake.asked).toEqual([metadataUrl])
    await clock.advance(300_000)
    expect(fake.asked).toHaveLength(11)
    fake.fault = undefined
    await clock.advance(30_000)
    expect(fake.asked.slice(-2)).toEqual([metadataUrl, keysUrl])
  })

  it('is not asked any more after the stop', async () => {
    fake.fault = down
    keys.start()
    await clock.advance(0)
    keys.stop()
    await clock.advance(3_600_000)
    expect([fake.asked.length, clock.timers]).toEqual([1, 0])
  })
})

describe('an issuer that answers nonsense', () => {
  const other = 'https://evil.example'
  it.each<[string, string, () => ReturnType<typeof jsonAnswer>, string]>([
    [
      'metadata of another issuer',
      metadataUrl,
      () => jsonAnswer({ issuer: other, jwks_uri: keysUrl }),
      'its metadata is of another issuer',
    ],
    [
      'metadata with a slash more',
      metadataUrl,
      () => jsonAnswer({ issuer: `${issuer}/`, jwks_uri: keysUrl }),
      'its metadata is of another issuer',
    ],
    ['keys elsewhere', metadataUrl, () => jsonAnswer({ issuer, jwks_uri: `${other}/keys` }), `its keys are said to be at ${other}`],
    ['keys on another port', metadataUrl, () => jsonAnswer({ issuer, jwks_uri: `${issuer}:8443/keys` }), 'its keys are said to be at'],
    ['keys over plain http', metadataUrl, () => jsonAnswer({ issuer, jwks_uri: 'http://login.example/keys' }), 'names no "jwks_uri"'],
    ['keys of this machine', metadataUrl, () => jsonAnswer({ issuer, jwks_uri: 'http://127.0.0.1/keys' }), 'its keys are said to be at'],
    ['keys in a file', metadataUrl, () => jsonAnswer({ issuer, jwks_uri: 'file:///etc/keys' }), 'names no "jwks_uri"'],
    ['no place of keys', metadataUrl, () => jsonAnswer({ issuer }), 'names no "jwks_uri"'],
    ['an error page', keysUrl, () => textAnswer('<html>', 500, 'text/html'), 'expected status 200, found 500'],
    ['a redirect', keysUrl, () => jsonAnswer({ keys: [next.jwk] }, 302), 'expected status 200, found 302'],
    ['another content type', keysUrl, () => jsonAnswer({ keys: [next.jwk] }, 200, 'text/html'), 'another content type'],
    ['no content type', keysUrl, () => jsonAnswer({ keys: [next.jwk] }, 200, ''), 'another content type'],
    ['no JSON', keysUrl, () => textAnswer('keys'), 'no JSON'],
    ['a list', keysUrl, () => jsonAnswer([next.jwk]), 'no JSON object'],
    ['a key twice in the JSON', keysUrl, () => textAnswer(`{"keys":[],"keys":[${JSON.stringify(next.jwk)}]}`), 'a key twice'],
    ['no keys', keysUrl, () => jsonAnswer({ keys: [] }), 'no key that can be used'],
    ['an object of keys', keysUrl, () => jsonAnswer({ keys: { 0: next.jwk } }), 'expected a list "keys"'],
    ['shared secrets alone', keysUrl, () => jsonAnswer({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'k2' }] }), 'a private or shared key'],
    ['101 keys', keysUrl, () => jsonAnswer({ keys: Array.from({ length: 101 }, () => next.jwk) }), 'at most 100 keys'],
  ])('%s: nothing of it counts, and what was there before does', async (_, at, answer, why) => {
    await kindOf('k1')
    fake.fault = url => (url === at || (at === metadataUrl && url === keysUrl) ? (url === at ? answer() : down()) : undefined)
    // The first failure forgets where the keys are, so that the metadata is asked again.
    await clock.advance(600_000)
    await clock.advance(30_000)
    expect(health.at(-1)).toMatchObject({ status: 'degraded', why: expect.stringContaining(why) })
    expect(await kindOf('k1')).toBe('key')
    expect(await kindOf('k2')).toBe('unknown')
  })

  it('of several keys takes those that can be used', async () => {
    const rubbish = [
      null,
      'x',
      { kty: 'oct', k: 'AAAA' },
      { ...next.jwk, use: 'enc' },
      { ...next.jwk, x: 'AAAA' },
      { kty: 'AKP', alg: 'ML-DSA-44' },
    ]
    fake.fault = url => (url === keysUrl ? jsonAnswer({ keys: [...rubbish, key.jwk] }) : undefined)
    expect(await kindOf('k1')).toBe('key')
    expect(await kindOf('k2')).toBe('unknown')
  })

  it('with two keys of one id and kind means neither', async () => {
    fake.fault = url => (url === keysUrl ? jsonAnswer({ keys: [key.jwk, { ...next.jwk, kid: 'k1' }] }) : undefined)
    expect(await kindOf('k1')).toBe('ambiguous')
  })
})

it('an issuer that never answers is waited for no longer than a hook may take', async () => {
  fake.fault = () => new Promise(() => {})
  let kind: string | undefined
  void kindOf('k1').then(told => {
    kind = told
  })
  await clock.advance(3999)
  expect(kind).toBeUndefined()
  await clock.advance(1)
  await clock.advance(0)
  expect(kind).toBe('unavailable')
})
