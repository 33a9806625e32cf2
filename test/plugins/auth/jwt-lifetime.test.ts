// A verified token is remembered, and no longer than it holds: its time, its key, the issuer's outage; what it opened ends with it.
import type { Principal, RequestVerdict } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createVerified, digestToken } from '../../../plugins/auth/verified.ts'
import { type Home, makeHome, type Started, startOfTests } from './gateway.ts'
import { createIssuer, type FakeIssuer } from './issuer.ts'
import { audience, issuer, makeKey, makeToken } from './tokens.ts'

const key = makeKey('k1')
const next = makeKey('k2')
const seconds = startOfTests / 1000

let home: Home
let gateway: Started
let fake: FakeIssuer
beforeEach(async () => {
  home = makeHome()
  fake = createIssuer(key)
  gateway = await home.start({ jwt: [{ issuer, audience }] }, null, fake.outgoing)
})
afterEach(async () => {
  await gateway.stop()
  home.remove()
})

const present = (token: string): Promise<RequestVerdict> => gateway.present({ authorization: `Bearer ${token}` })
async function principalOf(token: string): Promise<Principal> {
  const verdict = await present(token)
  if (verdict.kind !== 'identify') throw new Error(`not identified: ${JSON.stringify(verdict)}`)
  return verdict.principal
}
/** Reads the keys of the issuer again. */
const reload = (): Promise<void> => gateway.hooks.reload?.() as Promise<void>

describe('a token that was seen before', () => {
  it('is the same principal, and answered without waiting', async () => {
    const token = makeToken(key)
    const principal = await principalOf(token)
    const again = gateway.hooks.onRequest!({
      direction: 'to-server',
      peer: { transport: 'http', header: (name: string) => (name === 'authorization' ? [`Bearer ${token}`] : []) },
    } as never)
    expect(again).toEqual({ kind: 'identify', principal })
    expect(await principalOf(token)).toBe(principal)
    expect(fake.asked).toHaveLength(2)
  })

  it('is refused from the moment on at which it expires, and with its leeway not before', async () => {
    const token = makeToken(key, { exp: seconds + 60 })
    await principalOf(token)
    gateway.now = startOfTests + 89_999
    await principalOf(token)
    gateway.now += 1
    expect(await present(token)).toMatchObject({ code: 'bad-credential', detail: expect.stringContaining('it has expired') })
  })

  it('is refused as soon as it is older than it may be', async () => {
    const token = makeToken(key, { exp: seconds + 1_000_000 })
    await principalOf(token)
    gateway.now = (seconds - 10 + 86_400 + 30) * 1000
    expect(await present(token)).toMatchObject({ code: 'bad-credential' })
  })

  it('is refused as soon as its key has left the key set of the issuer', async () => {
    const token = makeToken(key)
    await principalOf(token)
    fake.keys = [next]
    await reload()
    expect(await present(token)).toMatchObject({ code: 'bad-credential', detail: expect.stringContaining('no such key') })
    await principalOf(makeToken(next))
  })

  it('is refused as soon as another key has its id', async () => {
    const token = makeToken(key)
    await principalOf(token)
    fake.keys = [makeKey('k1')]
    await reload()
    expect(await present(token)).toMatchObject({ code: 'bad-credential', detail: expect.stringContaining('the signature is wrong') })
  })

  it('does not let in one that differs from it in any character', async () => {
    const token = makeToken(key)
    await principalOf(token)
    for (let at = 0; at < token.length; at += 7) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      expect((await present(changed)).kind).toBe('deny')
    }
  })
})

describe('what somebody has open', () => {
  const isEnded = (principal: Principal): boolean => gateway.expelled.some(isMeant => isMeant(principal))
  const look = (): void => gateway.tick()

  it('ends with their last token, and not while they have a newer one', async () => {
    const ann = await principalOf(makeToken(key, { sub: 'ann', exp: seconds + 60 }))
    const bob = await principalOf(makeToken(key, { sub: 'bob', exp: seconds + 60 }))
    await principalOf(makeToken(key, { sub: 'bob', exp: seconds + 600, jti: 'token-2' }))
    look()
    gateway.now = startOfTests + 90_000
    look()
    expect([isEnded(ann), isEnded(bob)]).toEqual([true, false])
    gateway.now = startOfTests + 630_000
    look()
    expect(isEnded(bob)).toBe(true)
    expect(gateway.expelled).toHaveLength(2)
  })

  it('ends with the key of their token', async () => {
    const ann = await principalOf(makeToken(key, { sub: 'ann' }))
    fake.keys = [next]
    await reload()
    for (let times = 0; times < 4; times++) look()
    expect(isEnded(ann)).toBe(true)
  })

  it('is left alone where it was opened with an API key', async () => {
    await principalOf(makeToken(key, { sub: 'agent-1', exp: seconds + 60 }))
    const { out } = await home.run('keys create', ['An agent', 'agent-1'])
    look()
    const verdict = await gateway.present({ 'x-api-key': out })
    gateway.now = startOfTests + 90_000
    look()
    expect(gateway.expelled).toHaveLength(1)
    expect(verdict.kind === 'identify' && isEnded(verdict.principal)).toBe(false)
  })
})

it('no more tokens are remembered than there is room for, those that were asked for longest ago go first', () => {
  const verified = createVerified<number>(3)
  for (let at = 0; at < 3; at++) verified.set(`token-${at}`, at)
  verified.get('token-0')
  verified.set('token-3', 3)
  expect([verified.size, verified.get('token-0'), verified.get('token-1'), verified.get('token-3')]).toEqual([3, 0, undefined, 3])
  expect(digestToken('x')).not.toContain('x'.repeat(8))
  expect(Buffer.from(digestToken('x'), 'base64')).toHaveLength(32)
})
