// T29: whoever fails too often is held back, and nobody is locked out by him who has what cannot be guessed.
import fc from 'fast-check'
import { type Exchange, identify, networkOf, type Peer, type RequestVerdict } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createGuard } from '../../../plugins/auth/failures.ts'
import { mintKey } from '../../../plugins/auth/key.ts'
import { makePrincipal } from '../../../plugins/auth/ring.ts'
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

const limits = { failures: { limit: 3, window: 60 } }
const from = (ip: string, headers: Record<string, string>): Partial<Exchange> => ({ peer: httpPeer(headers, { ip }) })
const tell = async (ip: string, headers: Record<string, string>): Promise<string> => {
  const verdict = await gateway.present({}, from(ip, headers))
  return verdict.kind === 'deny' ? verdict.code : verdict.kind
}
const wrong = (name: number | string = 'x'): Record<string, string> => ({ authorization: `Bearer wrong-${name}` })

describe('an address', () => {
  it('may fail so often at once, and then as often in each window', async () => {
    gateway = await home.start(limits)
    const tries = async (count: number): Promise<string[]> => {
      const codes: string[] = []
      for (let i = 0; i < count; i++) codes.push(await tell('198.51.100.7', wrong(i)))
      return codes
    }
    const bad = 'bad-credential'
    expect(await tries(5)).toEqual([bad, bad, bad, 'too-many-failures', 'too-many-failures'])
    gateway.mono += 20_000
    expect(await tries(2)).toEqual([bad, 'too-many-failures'])
    gateway.mono += 3_600_000
    expect(await tries(4)).toEqual([bad, bad, bad, 'too-many-failures'])
  })

  it('lets in a right key that was never seen there, whatever fails beside, and tells whoever fails when to come back', async () => {
    const { out: key } = await home.run('keys create', ['Agent', 'agent-1'])
    const { out: over } = await home.run('keys create', ['Over', 'agent-2'])
    await home.run('keys revoke', [over])
    gateway = await home.start(limits)
    for (let i = 0; i < 10; i++) await tell('198.51.100.7', wrong(i))
    expect(await tell('198.51.100.7', { 'x-api-key': key })).toBe('identify')
    expect(await tell('198.51.100.7', { authorization: `Bearer ${key}` })).toBe('identify')
    const answers = [
      wrong(),
      { 'x-api-key': `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}` },
      { 'x-api-key': over },
      { 'x-api-key': 'no, key' },
    ]
    const verdicts = await Promise.all(answers.map(headers => gateway.present({}, from('198.51.100.7', headers))))
    expect(new Set(verdicts.map(verdict => JSON.stringify(verdict))).size).toBe(1)
    expect(verdicts[0]).toMatchObject({ kind: 'deny', code: 'too-many-failures', retryAfter: 20 })
  })

  it('lets in a key that somebody has thought up only where it came from before: a right guess looks like a wrong one', async () => {
    const entry = { roles: [], enabled: true }
    const keys = ['a-key-of-1998-Xy', 'a-key-of-1999-Zw']
    gateway = await home.start({
      ...limits,
      apiKeys: keys.map((key, i) => ({ ...entry, id: `key-${i}`, key, consumerId: `agent-${i}` })),
    })
    const [mine, other] = [{ 'x-api-key': keys[0]! }, { 'x-api-key': keys[1]! }]
    expect(await tell('198.51.100.7', mine)).toBe('identify')
    for (let i = 0; i < 10; i++) await tell('198.51.100.7', wrong(i))
    expect(await tell('198.51.100.7', mine)).toBe('identify')
    const guesses = [wrong(), other].map(headers => gateway.present({}, from('198.51.100.7', headers)))
    expect(new Set((await Promise.all(guesses)).map(verdict => JSON.stringify(verdict))).size).toBe(1)
    expect(await tell('198.51.100.8', other)).toBe('identify')
    gateway.mono += 20_000
    expect(await tell('198.51.100.7', other)).toBe('identify')
  })

  it('has few signatures checked while it fails: tokens that came before are let in, others within a budget', async () => {
    const signing = makeKey('k1')
    const bearer = (sub: string, key = signing): Record<string, string> => ({
      authorization: `Bearer ${makeToken(key, { sub, jti: sub })}`,
    })
    gateway = await home.start({ failures: { limit: 20, window: 60 }, jwt: [{ issuer, audience, jwks: { keys: [signing.jwk] } }] })
    const before = bearer('ann')
    expect(await tell('198.51.100.7', before)).toBe('identify')
    for (let i = 0; i < 30; i++) await tell('198.51.100.7', wrong(i))
    expect(await tell('198.51.100.7', before)).toBe('identify')
    expect(await tell('198.51.100.7', bearer('bob'))).toBe('identify')
    // A forged one is a failure like any other, and spends the rest of the budget.
    expect(await tell('198.51.100.7', bearer('eve', makeKey('k1')))).toBe('too-many-failures')
    const [carol, dave] = [bearer('carol'), bearer('dave')]
    expect(await tell('198.51.100.7', carol)).toBe('too-many-failures')
    expect(await tell('198.51.100.8', carol)).toBe('identify')
    expect(await tell('198.51.100.7', carol)).toBe('identify')
    expect(await gateway.present({}, from('198.51.100.7', dave))).toMatchObject({ code: 'too-many-failures', retryAfter: 30 })
    gateway.mono += 30_000
    expect(await tell('198.51.100.7', dave)).toBe('identify')
  })

  it('is asked for a credential as ever where it brings none', async () => {
    gateway = await home.start(limits)
    for (let i = 0; i < 10; i++) await tell('198.51.100.7', wrong(i))
    expect(await tell('198.51.100.7', {})).toBe('unauthenticated')
  })

  it('of IPv6 is a /64', () => {
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8:0:0:ffff::2'))
    expect(networkOf('2001:db8::1')).not.toBe(networkOf('2001:db8:0:1::1'))
    expect([networkOf('::1'), networkOf('2001:db8:1:2:3:4:5:6'), networkOf('198.51.100.7')]).toEqual([
      '0:0:0:0',
      '2001:db8:1:2',
      '198.51.100.7',
    ])
  })
})

describe('a key', () => {
  it('that many addresses guess at is guessed at no further, and still lets in who has it', async () => {
    const { out: key } = await home.run('keys create', ['Agent', 'agent-1'])
    gateway = await home.start(limits)
    const guess = (i: number, id = key.slice(4, 12)): Promise<string> =>
      tell(`198.51.100.${i}`, { 'x-api-key': `mgk_${id}_${'A'.repeat(40)}${100 + i}` })
    for (const id of [key.slice(4, 12), 'nobodys0']) {
      const codes: string[] = []
      for (let i = 0; i < 5; i++) codes.push(await guess(i, id))
      expect(codes).toEqual(['bad-credential', 'bad-credential', 'bad-credential', 'too-many-failures', 'too-many-failures'])
      gateway.mono += 60_000
      for (let i = 5; i < 10; i++) await guess(i, id)
      expect(await tell('198.51.100.99', { 'x-api-key': key })).toBe('identify')
    }
  })
})

it('10,000 forged tokens of one address are 66 that are looked at, and the memory of 100,000 addresses is bounded', async () => {
  gateway = await home.start()
  let looked = 0
  const guard = createGuard({ limit: 60, window: 60 }, () => 0)
  const ask = (): RequestVerdict => {
    looked++
    return { kind: 'deny', code: 'bad-credential', reason: 'authentication failed' }
  }
  const exchange = (ip: string): Exchange => ({ direction: 'to-server', peer: httpPeer(wrong(), { ip }) }) as Exchange
  for (let i = 0; i < 10_000; i++) await guard(exchange('198.51.100.7'), ask, () => true)
  expect(looked).toBe(66)
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 100_000; i++) await guard(exchange(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`), ask, () => true)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024)
})

it('never lets anybody in whom the methods do not know, and never refuses one who came before or whose key is minted', async () => {
  gateway = await home.start()
  const minted = mintKey().key
  const step = fc.record({
    who: fc.constantFrom('a', minted, undefined),
    ip: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    after: fc.nat(40_000),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
      let now = 0
      const guard = createGuard({ limit: 2, window: 60 }, () => now)
      const came = new Set<string>()
      for (const { who, ip, after } of steps) {
        now += after
        const principal = who === undefined ? undefined : makePrincipal('x', undefined, [], 'default', { method: 'api-key', keyId: who })
        const peer: Peer = httpPeer({ 'x-api-key': `${who}` }, { ip })
        const verdict = await guard(
          { direction: 'to-server', peer } as Exchange,
          () => (principal === undefined ? { kind: 'deny', code: 'bad-credential', reason: 'authentication failed' } : identify(principal)),
          () => false,
        )
        if (verdict.kind === 'identify') {
          expect(verdict.principal).toBe(principal)
          came.add(`${who} ${ip}`)
        } else expect(who === minted || came.has(`${who} ${ip}`)).toBe(false)
      }
    }),
  )
})
