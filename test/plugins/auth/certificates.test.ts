// A verified certificate stands for the one principal that the config names for it; beside another credential it is one too many.
import type { Peer } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configSchema } from '../../../plugins/auth/config.ts'
import { type Home, httpPeer, makeHome } from './gateway.ts'

const FINGERPRINT = 'ab'.repeat(32)
const robot = { fingerprint: FINGERPRINT, commonName: 'robot', names: ['URI:spiffe://example/robot', 'DNS:robot.example'] }
const principal = { id: 'agent-7', roles: ['reader'], tenant: 'acme' }

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home.remove())

async function ask(certificates: unknown, certificate: Peer['certificate'], headers: Record<string, string> = {}) {
  const gateway = await home.start({ certificates })
  try {
    return await gateway.present({}, { peer: httpPeer(headers, { ...(certificate && { certificate }) }) })
  } finally {
    await gateway.stop()
  }
}
const found = { kind: 'identify', principal: { ...principal, claims: {}, via: { method: 'certificate', keyId: FINGERPRINT } } }

describe('a certificate', () => {
  it.each([
    ['a name', { san: 'URI:spiffe://example/robot' }],
    ['another of its names', { san: 'DNS:robot.example' }],
    ['its common name', { commonName: 'robot' }],
    ['its fingerprint', { fingerprint: FINGERPRINT }],
    ['its fingerprint as openssl prints it', { fingerprint: FINGERPRINT.toUpperCase().match(/../g)?.join(':') }],
    ['all of them', { san: 'DNS:robot.example', commonName: 'robot', fingerprint: FINGERPRINT }],
  ])('is its principal by %s', async (_, match) => {
    expect(await ask([{ match, principal }], robot)).toEqual(found)
  })

  it.each([
    ['another name', { san: 'DNS:other.example' }],
    ['a name of another kind', { san: 'email:robot.example' }],
    ['a part of a name', { san: 'URI:spiffe://example/' }],
    ['its common name as a name', { san: 'DNS:robot' }],
    ['another common name', { commonName: 'Robot' }],
    ['one that fits and one that does not', { commonName: 'robot', san: 'DNS:other.example' }],
    ['another fingerprint', { fingerprint: 'cd'.repeat(32) }],
  ])('is nobody by %s', async (_, match) => {
    const verdict = await ask([{ match, principal }], robot)
    expect(verdict).toMatchObject({ kind: 'deny', code: 'bad-credential', detail: `certificate ${FINGERPRINT} is nobody's` })
  })

  it('is nobody where two entries fit it', async () => {
    const entries = [
      { match: { commonName: 'robot' }, principal },
      { match: { fingerprint: FINGERPRINT }, transportOnly: true },
    ]
    expect(await ask(entries, robot)).toMatchObject({ code: 'bad-credential', detail: `certificate ${FINGERPRINT} fits 2 entries` })
  })

  it.each([{ authorization: 'Bearer x' }, { 'x-api-key': 'gw_1' }, { authorization: 'Basic eDp5' }])(
    'beside another credential is one too many, whoever it is (%j)',
    async headers => {
      for (const match of [{ commonName: 'robot' }, { commonName: 'other' }])
        expect(await ask([{ match, principal }], robot, headers)).toMatchObject({ kind: 'deny', code: 'many-credentials' })
    },
  )

  it('for transport only, or where the config names none, is no credential: the request needs one of its own', async () => {
    const { out } = await home.run('keys create', ['Agent', 'agent-1'])
    for (const entries of [[], [{ match: { commonName: 'robot' }, transportOnly: true }]]) {
      expect(await ask(entries, robot)).toMatchObject({ kind: 'deny', code: 'unauthenticated' })
      expect(await ask(entries, robot, { 'x-api-key': out.trim() })).toMatchObject({ kind: 'identify', principal: { id: 'agent-1' } })
    }
  })

  it('is not asked for: without one the request needs a credential, and a header that names one is none', async () => {
    const entries = [{ match: { commonName: 'robot' }, principal }]
    expect(await ask(entries, undefined)).toMatchObject({ code: 'unauthenticated' })
    expect(await ask(entries, undefined, { 'x-client-cert': 'robot', 'x-forwarded-client-cert': `Hash=${FINGERPRINT}` })).toMatchObject({
      code: 'unauthenticated',
    })
  })
})

it.each<[string, object, string]>([
  ['nothing to match', { match: {}, principal }, 'name at least one of san, commonName and fingerprint'],
  ['a name without its kind', { match: { san: 'robot.example' }, principal }, 'written with its kind'],
  ['a fingerprint that is none', { match: { fingerprint: 'ab:cd' }, principal }, 'SHA-256 in hex'],
  ['neither a principal nor transportOnly', { match: { commonName: 'x' } }, 'name a principal, or say transportOnly'],
  ['both', { match: { commonName: 'x' }, principal, transportOnly: true }, 'name a principal, or say transportOnly'],
  ['a wildcard as a role', { match: { commonName: 'x' }, principal: { id: 'x', roles: ['*'] } }, 'without wildcards'],
  ['a key that nothing reads', { match: { commonName: 'x', cn: 'x' }, principal }, 'Unrecognized key'],
])('%s is no entry', (_, entry, message) => {
  const { error } = configSchema.safeParse({ certificates: [entry] })
  expect(JSON.stringify(error?.issues)).toContain(message)
})
