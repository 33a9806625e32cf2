// Which statements of other gateways are accepted and which are refused, each by its name: the whole list is printed to a file, with what either side learns.
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Peer, RequestVerdict } from 'mcpgw/plugin'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Home, makeHome, type Started } from './gateway.ts'
import { call, goodClaims, hub, makePair, makeStatement, now, peerOf, type Sent, signStatement } from './statements.ts'

const key = makePair()
const next = makePair()
const other = makePair()
const stranger = makePair()
const s = now / 1000
const used = makeStatement(key)
const jti = randomBytes(16).toString('base64url')
const parts = makeStatement(key).split('.')
const text = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = { alg: 'EdDSA', typ: 'mcpgw-caller+jwt', kid: key.id }
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const byEc = (): string => {
  const input = `${text({ ...header, alg: 'ES256' })}.${text(goodClaims())}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const byMac = (): string => {
  const input = `${text({ ...header, alg: 'HS256' })}.${text(goodClaims())}`
  return `${input}.${createHmac('sha256', key.pem).update(input).digest('base64url')}`
}

type Case = string | readonly [string | readonly string[], Sent]

/** By name; each is refused or accepted as the file beside says. */
const cases: Readonly<Record<string, Case>> = {
  'a call for a caller of the gateway': makeStatement(key),
  'the same once more': used,
  'the same twice, the second time': used,
  'another with an id that was used': makeStatement(key, { jti }),
  'another with that id again': makeStatement(key, { jti, sub: 'bob' }),
  'that id, of another gateway': makeStatement(other, { jti, iss: 'far', tenant: 'default' }),
  'signed by the next key': makeStatement(next),
  'for the gateway itself': makeStatement(key, { sub: undefined, tenant: undefined, roles: undefined }),
  'of a caller without roles': makeStatement(key, { roles: [] }),
  'of the own tenant of the gateway': makeStatement(key, { tenant: 'edge-own' }),
  'that came through two gateways before': makeStatement(key, { via: ['one', 'two'] }),
  'in a session': [makeStatement(key, { session: 's1' }), { headers: { 'mcp-session-id': 's1' } }],
  'a stream that goes on': [
    makeStatement(key, { method: 'GET', session: 's1', event: 'e7', body: goodBody('') }),
    { method: 'GET', body: '', headers: { 'mcp-session-id': 's1', 'last-event-id': 'e7' } },
  ],
  'expired for less than the leeway': makeStatement(key, { iat: s - 50, exp: s - 29 }),
  'signed ahead of our clock, within the leeway': makeStatement(key, { iat: s + 29, exp: s + 59 }),

  'no text at all': '',
  'of two parts': `${parts[0]}.${parts[1]}`,
  'without a signature': `${parts[0]}.${parts[1]}.`,
  'of an unknown gateway': makeStatement(key, { iss: 'nobody' }),
  'of a gateway "__proto__"': makeStatement(key, { iss: '__proto__' }),
  'in the name of another gateway': makeStatement(key, { iss: 'far' }),
  'signed by a stranger': makeStatement(stranger),
  'signed by a stranger under our kid': makeStatement(stranger, {}, { kid: key.id }),
  'signed by a stranger, whose key is in its header': makeStatement(stranger, {}, { kid: key.id, jwk: stranger.jwk }),
  'without a kid': makeStatement(key, {}, { kid: undefined }),
  'alg none': `${text({ ...header, alg: 'none' })}.${text(goodClaims())}.${parts[2]}`,
  'HS256 with the public key as the secret': byMac(),
  ES256: byEc(),
  'alg "Ed25519"': makeStatement(key, {}, { alg: 'Ed25519' }),
  'of another type': makeStatement(key, {}, { typ: 'at+jwt' }),
  'without a type': makeStatement(key, {}, { typ: undefined }),
  crit: makeStatement(key, {}, { crit: ['exp'] }),
  'sub twice': signStatement(key, JSON.stringify(header), JSON.stringify(goodClaims()).replace('{', '{"sub":"root",')),
  'the payload of another': `${parts[0]}.${text({ ...goodClaims(), sub: 'root' })}.${parts[2]}`,
  'longer than 8192 characters': makeStatement(key, { roles: Array.from({ length: 1000 }, (_, i) => `role-${i}`) }),

  'for another audience': makeStatement(key, { aud: 'https://other.example/mcp' }),
  'for an audience that ours begins with': makeStatement(key, { aud: 'https://hub.example' }),
  'for a list of audiences': makeStatement(key, { aud: [hub] }),
  'without an audience': makeStatement(key, { aud: undefined }),
  expired: makeStatement(key, { iat: s - 61, exp: s - 31 }),
  'that lives for an hour': makeStatement(key, { exp: s + 3600 }),
  'without an end': makeStatement(key, { exp: undefined }),
  'that ends before it begins': makeStatement(key, { exp: s - 1 }),
  'of the future': makeStatement(key, { iat: s + 31, exp: s + 61 }),

  'of another method': [makeStatement(key), { method: 'DELETE' }],
  'of another path': [makeStatement(key), { target: '/mcp/odd' }],
  'of another query': [makeStatement(key), { target: '/mcp?all=1' }],
  'of another body': [makeStatement(key), { body: call.replace('echo', 'wipe') }],
  'without its body': [makeStatement(key), { body: '' }],
  'of another session': [makeStatement(key, { session: 's1' }), { headers: { 'mcp-session-id': 's2' } }],
  'without its session': makeStatement(key, { session: 's1' }),
  'of none, in a session': [makeStatement(key), { headers: { 'mcp-session-id': 's1' } }],
  'in two sessions': [makeStatement(key, { session: 's1' }), { headers: { 'mcp-session-id': ['s1', 's1'] } }],
  'of another event': [makeStatement(key, { event: 'e7' }), { headers: { 'last-event-id': 'e8' } }],

  'that came through this very gateway': makeStatement(key, { via: ['edge'] }),
  'that came through one gateway twice': makeStatement(key, { via: ['one', 'two', 'one'] }),
  'that came through five gateways': makeStatement(key, { via: ['one', 'two', 'three', 'four'] }),
  'that does not say what it came through': makeStatement(key, { via: undefined }),
  'that came through what is no gateway': makeStatement(key, { via: ['a b'] }),

  'of a caller of a tenant that is not its own': makeStatement(key, { tenant: 'globex' }),
  'of a caller without a tenant': makeStatement(key, { tenant: undefined }),
  'of a tenant without a caller': makeStatement(key, { sub: undefined }),
  'of roles without a caller': makeStatement(key, { sub: undefined, tenant: undefined, roles: ['reader'] }),
  'of a caller without an id': makeStatement(key, { sub: '' }),
  'of a caller whose id has two lines': makeStatement(key, { sub: 'ann\nroot' }),
  'of a caller whose roles are a text': makeStatement(key, { roles: 'reader' }),
  'of a caller with a role "*"': makeStatement(key, { roles: ['reader', '*'] }),
  'without an id of its own': makeStatement(key, { jti: undefined }),
  'with a short id of its own': makeStatement(key, { jti: 'x' }),

  'two of them': [[makeStatement(key), makeStatement(key)], {}],
  'together with a bearer token': [makeStatement(key), { headers: { authorization: 'Bearer x' } }],
  'together with an API key': [makeStatement(key), { headers: { 'x-api-key': 'x' } }],
}

function goodBody(body: string): string {
  return peerOf('', { body }).request!.digest
}

const gateways = [
  {
    name: 'edge',
    audience: hub,
    keys: [key.pem, next.jwk],
    tenant: 'edge-own',
    tenants: ['acme'],
    roles: ['reader', 'writer'],
    ownRoles: ['lister'],
  },
  { name: 'far', audience: [hub, 'hub'], keys: [other.pem] },
]

let home: Home
let gateway: Started
beforeAll(async () => {
  home = makeHome()
  gateway = await home.start({ gateways })
  gateway.now = now
})
afterAll(async () => {
  await gateway.stop()
  home.remove()
})

function show(verdict: RequestVerdict): string {
  if (verdict.kind === 'identify') {
    const { id, tenant, roles, via, claims } = verdict.principal
    return `accept   ${id} of ${tenant} [${roles.join()}] by ${via.issuer}, through ${(claims.gateways as string[]).join()}`
  }
  if (verdict.kind !== 'deny') return verdict.kind
  const word = /error="(.*)"/.exec(verdict.challenge ?? '')?.[1] ?? '-'
  return `refuse   ${verdict.code} ${word}: ${verdict.detail ?? verdict.reason}`
}

it('each statement of the list is accepted or refused as the list says', async () => {
  const printed: string[] = []
  for (const [name, given] of Object.entries(cases)) {
    const peer = typeof given === 'string' ? peerOf(given) : peerOf(...given)
    printed.push(`${name.padEnd(50)} ${show(await gateway.present({}, { peer }))}`)
  }
  const golden = new URL('./gateway-matrix.txt', import.meta.url)
  const all = `${printed.join('\n')}\n`
  if (process.env.UPDATE_GOLDENS !== undefined) writeFileSync(golden, all)
  expect(all).toBe(readFileSync(golden, 'utf8'))
})

it('a refusal shows nothing of the statement; before its signature is checked, all refusals are the same to the other side', async () => {
  const answers = new Set<string>()
  for (const given of Object.values(cases)) {
    const statement = typeof given === 'string' ? given : given[0]
    const verdict = await gateway.present({}, { peer: typeof given === 'string' ? peerOf(given) : peerOf(...given) })
    if (verdict.kind !== 'deny') continue
    const { detail = '', ...shown } = verdict
    if (shown.code === 'bad-signature') answers.add(JSON.stringify({ ...shown, challenge: '' }))
    for (const part of [statement].flat().flatMap(one => one.split('.'))) if (part.length > 8) expect(detail).not.toContain(part)
  }
  expect([...answers]).toEqual([
    '{"kind":"deny","code":"bad-signature","reason":"the signature of the gateway is not accepted","challenge":""}',
  ])
})

it('one request may be asked about more than once: its statement is taken once', async () => {
  const peer = peerOf(makeStatement(key))
  const first = await gateway.present({}, { peer })
  expect([first.kind, await gateway.present({}, { peer })]).toEqual(['identify', first])
})

it('a statement is held against nothing where nobody has seen the request', async () => {
  const statement = makeStatement(key)
  const { request: _, ...peer }: Peer = peerOf(statement)
  expect(await gateway.present({}, { peer: peer as Peer })).toMatchObject({ kind: 'deny', code: 'bad-signature' })
})

it('counts as nothing in another place: neither as a token nor as an API key', async () => {
  for (const headers of [{ authorization: `Bearer ${makeStatement(key)}` }, { 'x-api-key': makeStatement(key) }])
    expect(await gateway.present(headers)).toMatchObject({ code: 'bad-credential' })
  const { out } = await home.run('keys create', ['Ann', 'ann', 'reader'])
  gateway.tick()
  expect(await gateway.present({}, { peer: peerOf(out) })).toMatchObject({ code: 'bad-signature' })
})
