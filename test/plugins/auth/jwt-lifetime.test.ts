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
  gateway = await home.start({ jwt: [{ issuer, audience }] }, undefined, fake.outgoing)
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
  const look = (): void => gateway.tick()
  const ids = (): string[] => [...gateway.openOf.keys()].map(({ id }) => id)
  async function open(sub: string, more: object = {}): Promise<void> {
    gateway.openOf.set(await principalOf(makeToken(key, { sub, ...more })), { sessions: 1, requests: 2 })
  }
  const told = (): object[] => home.recorded.filter(({ type }) => type === 'token.end')

  it('ends with their last token, and not while they have a newer one; what ended is on record', async () => {
    await open('ann', { exp: seconds + 60 })
    await open('bob', { exp: seconds + 60 })
    await principalOf(makeToken(key, { sub: 'bob', exp: seconds + 600, jti: 'token-2' }))
    look()
    gateway.now = startOfTests + 89_999
    look()
    expect(ids()).toEqual(['ann', 'bob'])
    gateway.now += 1
    look()
    expect(ids()).toEqual(['bob'])
    expect(told()).toEqual([
      {
        type: 'token.end',
        detail: { issuer, sessions: 1, requests: 2 },
        about: { tenant: 'default', id: 'ann', detail: { principal: 'ann', tenant: 'default' } },
      },
    ])
    gateway.now = startOfTests + 630_000
    look()
    expect(ids()).toEqual([])
    expect(told()).toHaveLength(2)
  })

  it('ends also where it shows up a little after their token has ended', async () => {
    const late = await principalOf(makeToken(key, { sub: 'ann', exp: seconds + 60 }))
    gateway.now = startOfTests + 90_000
    look()
    gateway.openOf.set(late, { sessions: 0, requests: 1 })
    look()
    expect(ids()).toEqual([])
  })

  it('ends with the key of their token', async () => {
    await open('ann')
    fake.keys = [next]
    await reload()
    for (let times = 0; times < 4; times++) look()
    expect(ids()).toEqual([])
  })

  it('is left alone where it was opened with an API key', async () => {
    const { out } = await home.run('keys create', ['An agent', 'ann'], { json: true })
    look()
    gateway.open.set((JSON.parse(out) as { id: string }).id, { sessions: 1, requests: 0 })
    await open('ann', { exp: seconds + 60 })
    gateway.now = startOfTests + 90_000
    look()
    expect([ids(), gateway.open.size]).toEqual([[], 1])
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
