// Which tokens are accepted and which are refused, each by its name: the whole list is printed to a file, and the record says why.
import { createPublicKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { RequestVerdict } from 'mcpgw/plugin'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Home, httpPeer, makeHome, type Started, startOfTests } from './gateway.ts'
import { audience, encode, goodClaims, issuer, makeKey, makeToken, signText, signWithSecret } from './tokens.ts'

const key = makeKey('k1')
const rsa = makeKey('k2', 'RS256')
const ed = makeKey('k3', 'EdDSA')
const stranger = makeKey('k1')
const other = makeKey('k9')
const now = startOfTests / 1000
const header = { alg: 'ES256', kid: 'k1', typ: 'at+jwt' }
const pem = createPublicKey(rsa.privateKey).export({ format: 'pem', type: 'spki' }).toString()
const flip = (token: string, at: number): string => {
  const from = token.at(at)
  return token.slice(0, at) + (from === 'A' ? 'B' : 'A') + token.slice(at + 1 || token.length)
}
const payloadOf = (token: string): string => token.split('.')[1]!
const [validHead, , validSignature] = makeToken(key).split('.')

/** By name; each is refused or accepted as the file beside says. */
const tokens: Readonly<Record<string, string>> = {
  'ES256, one audience': makeToken(key),
  RS256: makeToken(rsa),
  EdDSA: makeToken(ed),
  'several audiences, ours among them': makeToken(key, { aud: ['https://other.example', audience] }),
  'typ "JWT"': makeToken(key, {}, { typ: 'JWT' }),
  'typ "application/at+jwt"': makeToken(key, {}, { typ: 'application/AT+JWT' }),
  'expired for less than the leeway': makeToken(key, { iat: now - 600, exp: now - 29 }),
  'issued ahead of our clock, within the leeway': makeToken(key, { iat: now + 29 }),
  'names of other keys in its header (jku, x5u, jwk), signed by ours': makeToken(
    key,
    {},
    { jku: 'https://evil.example/keys', x5u: 'https://evil.example/cert', jwk: other.jwk },
  ),
  'alg none, no signature': `${encode(JSON.stringify({ alg: 'none', typ: 'at+jwt' }))}.${payloadOf(makeToken(key))}.`,
  'alg none, with the signature of another token': `${encode(JSON.stringify({ ...header, alg: 'none' }))}.${payloadOf(makeToken(key))}.${validSignature}`,
  'alg "NoNe"': `${encode(JSON.stringify({ ...header, alg: 'NoNe' }))}.${payloadOf(makeToken(key))}.${validSignature}`,
  'HS256 with the public key as the secret': signWithSecret(pem, { alg: 'HS256', kid: 'k2' }),
  'HS256 with the modulus as the secret': signWithSecret(String(rsa.jwk.n), { alg: 'HS256', kid: 'k2' }),
  'an algorithm of another kind of key': makeToken(key, {}, { kid: 'k2' }),
  'RS384 in the header, signed with RS256, key bound to RS256': makeToken(rsa, {}, { alg: 'RS384' }),
  'without an algorithm': makeToken(key, {}, { alg: undefined }),
  'signed by a stranger under our kid': makeToken(stranger),
  'signed by a stranger, whose key is in its header': makeToken(stranger, {}, { jwk: stranger.jwk }),
  'signed by a stranger, with the place of his keys': makeToken(stranger, {}, { jku: 'https://evil.example/keys' }),
  'a kid that nobody has': makeToken(other),
  'without a kid, one key fits': makeToken(key, {}, { kid: undefined }),
  'a kid that is a path': makeToken(key, {}, { kid: '../../dev/null' }),
  'a kid that is SQL': makeToken(key, {}, { kid: "k1' OR '1'='1" }),
  'a kid that is a list': makeToken(key, {}, { kid: ['k1'] }),
  'a kid "__proto__"': makeToken(key, {}, { kid: '__proto__' }),
  crit: makeToken(key, {}, { crit: ['exp'] }),
  'b64 without crit': makeToken(key, {}, { b64: false }),
  zip: makeToken(key, {}, { zip: 'DEF' }),
  'typ of a logout token': makeToken(key, {}, { typ: 'logout+jwt' }),
  'no typ': makeToken(key, {}, { typ: undefined }),
  'alg twice in the header': signText(key, '{"alg":"none","alg":"ES256","kid":"k1","typ":"at+jwt"}', JSON.stringify(goodClaims)),
  'sub twice in the payload': signText(key, JSON.stringify(header), JSON.stringify(goodClaims).replace('{', '{"sub":"root",')),
  'sub twice, once escaped': signText(key, JSON.stringify(header), JSON.stringify(goodClaims).replace('{', '{"s\\u0075b":"root",')),
  'a payload that is no JSON': signText(key, JSON.stringify(header), 'sub=user-1'),
  'a payload that is a list': signText(key, JSON.stringify(header), JSON.stringify([goodClaims])),
  'a payload that is not UTF-8': signText(key, JSON.stringify(header), '') && `${validHead}._w.${validSignature}`,
  'one bit of the signature changed': flip(makeToken(key), -10),
  'the payload of another token': `${validHead}.${payloadOf(makeToken(key, { sub: 'root' }))}.${validSignature}`,
  'padding at the end': `${makeToken(key)}==`,
  'a fourth part': `${makeToken(key)}.x`,
  expired: makeToken(key, { iat: now - 600, exp: now - 30 }),
  'expires before it was issued': makeToken(key, { iat: now + 20, exp: now + 10 }),
  'without exp': makeToken(key, { exp: undefined }),
  'exp as a text': makeToken(key, { exp: String(now + 600) }),
  'exp without end': signText(key, JSON.stringify(header), JSON.stringify(goodClaims).replace(/"exp":\d+/, '"exp":1e999')),
  'nbf in the future': makeToken(key, { nbf: now + 60 }),
  'iat in the future': makeToken(key, { iat: now + 60 }),
  'without iat': makeToken(key, { iat: undefined }),
  'older than the most that is allowed': makeToken(key, { iat: now - 90_000 }),
  'for another audience': makeToken(key, { aud: 'https://other.example' }),
  'for an audience that ours begins with': makeToken(key, { aud: 'https://gw.example' }),
  'without an audience': makeToken(key, { aud: undefined }),
  'an empty list of audiences': makeToken(key, { aud: [] }),
  'an audience that is an object': makeToken(key, { aud: { 0: audience } }),
  'a list of audiences with a number in it': makeToken(key, { aud: [audience, 1] }),
  'of another issuer': makeToken(key, { iss: 'https://evil.example' }),
  'of our issuer with a slash': makeToken(key, { iss: `${issuer}/` }),
  'of a list of issuers': makeToken(key, { iss: [issuer] }),
  'without sub': makeToken(key, { sub: undefined }),
  'an empty sub': makeToken(key, { sub: '' }),
  'a sub of several lines': makeToken(key, { sub: 'user-1\nadmin' }),
  'a sub that is a number': makeToken(key, { sub: 1 }),
  'bound to a key that was not shown (DPoP)': makeToken(key, { cnf: { jkt: 'x' } }),
  'longer than 8192 characters': makeToken(key, { more: 'x'.repeat(8192) }),
  'deeper than 32 levels': signText(
    key,
    JSON.stringify(header),
    JSON.stringify(goodClaims).replace('{', `{"deep":${'['.repeat(40)}${']'.repeat(40)},`),
  ),
}

let home: Home
let gateway: Started
beforeAll(async () => {
  home = makeHome()
  gateway = await home.start({ jwt: [{ issuer, audience, jwks: { keys: [key.jwk, rsa.jwk, ed.jwk] } }] })
})
afterAll(async () => {
  await gateway.stop()
  home.remove()
})

const show = (verdict: RequestVerdict): string =>
  verdict.kind === 'identify' ? 'accept' : verdict.kind === 'deny' ? `refuse   ${verdict.code}: ${verdict.detail}` : verdict.kind

it('each token of the list is accepted or refused as the list says', async () => {
  const printed: string[] = []
  for (const [name, token] of Object.entries(tokens)) {
    const verdict = await gateway.present({ authorization: `Bearer ${token}` })
    printed.push(`${name.padEnd(68)} ${show(verdict)}`)
  }
  const golden = new URL('./jwt-matrix.txt', import.meta.url)
  const text = `${printed.join('\n')}\n`
  if (process.env.UPDATE_GOLDENS !== undefined) writeFileSync(golden, text)
  expect(text).toBe(readFileSync(golden, 'utf8'))
})

it('each refusal looks the same to the caller, asks for another token, and shows nothing of it', async () => {
  const answers = new Set<string>()
  for (const token of Object.values(tokens)) {
    const verdict = await gateway.present({ authorization: `Bearer ${token}` })
    if (verdict.kind !== 'deny') continue
    const { detail = '', ...public_ } = verdict
    answers.add(JSON.stringify(public_))
    for (const part of token.split('.').filter(one => one.length > 8)) expect(detail).not.toContain(part)
  }
  expect([...answers]).toEqual([
    '{"kind":"deny","code":"bad-credential","reason":"authentication failed","challenge":"Bearer error=\\"invalid_token\\""}',
  ])
})

it('a token counts as Authorization: Bearer alone, never as X-API-Key', async () => {
  expect(await gateway.present({ 'x-api-key': makeToken(key) })).toMatchObject({ code: 'bad-credential', detail: 'unknown credential' })
  expect(await gateway.present({ authorization: `Bearer ${makeToken(key)}`, 'x-api-key': 'x' })).toMatchObject({ code: 'many-credentials' })
})

it('an API key beside the issuer still is its principal', async () => {
  const { out } = await home.run('keys create', ['My Agent', 'agent-1', 'reader'])
  gateway.tick()
  for (const headers of [{ authorization: `Bearer ${out}` }, { 'x-api-key': out }])
    expect(await gateway.present(headers)).toMatchObject({ principal: { id: 'agent-1', via: { method: 'api-key' } } })
  expect(await gateway.present({ authorization: `Bearer ${makeToken(key)}` })).toMatchObject({
    principal: { id: 'user-1', via: { method: 'jwt' } },
  })
})

it('a token bound to a certificate (RFC 8705) counts with that certificate alone', async () => {
  const fingerprint = 'ab'.repeat(32)
  const bound = makeToken(key, { cnf: { 'x5t#S256': Buffer.from(fingerprint, 'hex').toString('base64url') } })
  const present = (certificate?: { fingerprint: string; names: string[] }) => {
    const headers = { authorization: `Bearer ${bound}` }
    return gateway.present(headers, { peer: httpPeer(headers, certificate && { certificate }) })
  }
  expect((await present({ fingerprint, names: [] })).kind).toBe('identify')
  expect((await present({ fingerprint: 'cd'.repeat(32), names: [] })).kind).toBe('deny')
  expect((await present()).kind).toBe('deny')
  expect((await present({ fingerprint, names: [] })).kind).toBe('identify')
})
