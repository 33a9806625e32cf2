// What is signed for another gateway: it is taken there, it says who asks and nothing more, and what that one makes of it is told to operators.
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Dispatcher } from 'undici'
import { expect, it, onTestFinished } from 'vitest'
import { readGatewayKey } from '../../../core/credentials/gateway-key.ts'
import { createSigners } from '../../../core/credentials/signers.ts'
import { ownerWithVoice, readVoice, type Voice } from '../../../core/credentials/voice.ts'
import { errorAnswer } from '../../../core/mcp/error-answer.ts'
import { ownerOf } from '../../../core/owner.ts'
import type { Clock, Peer, Principal } from '../../../core/plugin/index.ts'
import type { Behalf } from '../../../core/upstream/behalf.ts'
import { agree } from '../../../core/upstream/handshake.ts'
import type { Sender } from '../../../core/upstream/remote/authorized.ts'
import { CredentialFault, type SignedRequest } from '../../../core/upstream/remote/credential.ts'
import { createSigned } from '../../../core/upstream/remote/signed.ts'
import { readGatewayKeys } from '../../../plugins/auth/gateway-keys.ts'
import { checkStatement } from '../../../plugins/auth/gateway-token.ts'
import { httpPeer } from '../../plugins/auth/gateway.ts'
import { peerOf } from '../../plugins/auth/statements.ts'

const pair = generateKeyPairSync('ed25519')
const privateKey = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString()
const URL_OF_HUB = 'https://hub.example/mcp?token=secret'
const NOW = Date.UTC(2026, 10, 29)

const ann: Principal = { id: 'ann', tenant: 'acme', roles: ['reader', 'admin'], claims: {}, via: { method: 'api-key', keyId: 'k' } }
const voice: Voice = { id: 'ann', tenant: 'acme', roles: ['admin', 'reader'], via: [] }
const behalfOf = (of: Voice | undefined, traceparent?: string): Behalf => ({
  rights: '',
  token: () => undefined,
  voice: of,
  trace: () => traceparent,
})

function makeSigners(client: Partial<Parameters<typeof createSigners>[0]['client']> = {}) {
  const told: string[] = []
  const clock = { now: () => NOW, mono: () => mono } as unknown as Clock
  let mono = 0
  const signers = createSigners({
    client: { as: 'edge', privateKey, ...client },
    clock,
    reporter: { failed: why => void told.push(why), taken: () => void told.push('taken') },
  })
  return {
    told,
    signers,
    pass(ms: number) {
      mono += ms
    },
  }
}

const request: SignedRequest = { method: 'POST', path: '/mcp', headers: {}, body: 'hello' }
const peer: Peer = peerOf('', { body: 'hello' })

function readBy(statement: string, of: Peer = peer) {
  const config = {
    name: 'edge',
    audience: ['https://hub.example/mcp'],
    keys: [publicKey],
    tenant: 'acme',
    tenants: [],
    roles: ['reader'],
    ownRoles: ['lister'],
    leeway: 0,
  }
  const keys = readGatewayKeys([config], { resolve: path => path })
  return checkStatement(statement, of, NOW, name => (name === 'edge' ? { config, keys: keys.get(name)! } : undefined))
}

it('the other gateway takes it: of a caller, and of this gateway itself; the audience is the url without what may be a secret', () => {
  const { signers } = makeSigners()
  expect(readBy(signers(URL_OF_HUB, ownerWithVoice(ann)).sign(request, behalfOf(voice)))).toMatchObject({
    id: 'ann',
    tenant: 'acme',
    roles: ['reader'],
    gateways: ['edge'],
    until: NOW + 30_000,
  })
  expect(readBy(signers(URL_OF_HUB, '').sign(request, undefined))).toMatchObject({ id: undefined, tenant: 'acme', roles: ['lister'] })
})

it('whatever is sent is taken, just as it was sent', () => {
  const { signers } = makeSigners()
  const header = fc.option(fc.stringMatching(/^[\x21-\x7e]{1,40}$/), { nil: undefined })
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'POST', 'DELETE'),
      fc.webPath(),
      fc.uint8Array(),
      header,
      header,
      (method, target, body, session, event) => {
        const headers = { ...(session && { 'mcp-session-id': session }), ...(event && { 'last-event-id': event }) }
        const statement = signers(URL_OF_HUB, '').sign({ method, path: target, headers, body }, undefined)
        const seen = httpPeer(headers, { request: { ...peerOf('', { method, target }).request!, digest: digestOf(body) } })
        expect(readBy(statement, seen)).toMatchObject({ id: undefined })
      },
    ),
    { numRuns: 50 },
  )
})

function digestOf(body: Uint8Array): string {
  return peerOf('', { body: body as unknown as string }).request!.digest
}

it('it has the trace of the call, and no other credential, name or claim of the caller', () => {
  const { signers } = makeSigners()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const statement = signers(URL_OF_HUB, '').sign(request, behalfOf(voice, traceparent))
  const payload = JSON.parse(Buffer.from(statement.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
  expect(payload.traceparent).toBe(traceparent)
  expect(Object.keys(payload).sort()).toEqual(
    ['aud', 'body', 'exp', 'iat', 'iss', 'jti', 'method', 'path', 'roles', 'sub', 'tenant', 'traceparent', 'via'].sort(),
  )
})

it('the same twice is signed twice otherwise', () => {
  const signer = makeSigners().signers(URL_OF_HUB, '')
  expect(signer.sign(request, undefined)).not.toBe(signer.sign(request, undefined))
})

it('a request of nobody who is known is not sent; nor is one that goes in a circle, through too many gateways, or says too much', () => {
  const { signers, told } = makeSigners()
  const signer = signers(URL_OF_HUB, ownerWithVoice(ann))
  const fault = (of: Voice | undefined): string | undefined => {
    try {
      signer.sign(request, behalfOf(of))
    } catch (error) {
      return error instanceof CredentialFault ? `${error.fault.code}: ${error.fault.detail}` : String(error)
    }
    return undefined
  }
  expect(fault(undefined)).toBe('upstream-credential: nobody says who the caller is, so that no other gateway can be told')
  expect(fault({ ...voice, via: ['one', 'edge'] })).toBe('upstream-credential: the call has come through this gateway before')
  expect(fault({ ...voice, via: ['1', '2', '3', '4'] })).toBe('upstream-credential: the call has come through 4 gateways')
  expect(fault({ ...voice, via: ['1', '2', '3'] })).toBeUndefined()
  expect(fault({ ...voice, roles: Array.from({ length: 2000 }, (_, i) => `role-${i}`) })).toContain('more than 8192 characters')
  expect(told).toEqual([])
})

it('a lane says in whose name it speaks: callers who differ in roles or gateways share none, and no caller is taken for this gateway', () => {
  const text = fc.stringMatching(/^[\x21-\x7e]{1,8}$/)
  const principal = fc.record({
    id: text,
    tenant: text,
    roles: fc.uniqueArray(text, { maxLength: 3 }),
    claims: fc.record({ gateways: fc.array(text, { maxLength: 2 }) }),
    via: fc.record({ method: fc.constantFrom('gateway', 'api-key'), issuer: text }),
  })
  fc.assert(
    fc.property(principal, principal, (one, other) => {
      const said = readVoice(ownerWithVoice(one))!
      const isGateway = one.via.method === 'gateway'
      expect(said).toEqual({ id: one.id, tenant: one.tenant, roles: [...one.roles].sort(), via: isGateway ? one.claims.gateways : [] })
      expect(ownerWithVoice(one).startsWith(`${ownerOf(one)}\0`)).toBe(true)
      const isSame = JSON.stringify([readVoice(ownerWithVoice(other)), ownerOf(other)]) === JSON.stringify([said, ownerOf(one)])
      expect(ownerWithVoice(one) === ownerWithVoice(other)).toBe(isSame)
    }),
  )
  expect(readVoice('')).toBeUndefined()
  expect(() => readVoice(ownerOf(ann))).toThrow('bug')
})

it('operators are told once that the other gateway refuses the signature, and why, in words of ours; and that it takes it again', () => {
  const { signers, told } = makeSigners()
  const signer = signers(URL_OF_HUB, '')
  const refusals = [
    'mcpgw-caller error="unknown"',
    'mcpgw-caller error="unknown"',
    'mcpgw-caller error="expired"',
    'Bearer realm="<b>"',
    undefined,
  ]
  for (const challenge of refusals) expect(signer.heard(401, challenge, false)?.fault.code).toBe('upstream-unavailable')
  expect(signer.heard(503, undefined, false)).toBeUndefined()
  expect(signer.heard(200, undefined, false)).toBeUndefined()
  expect(signer.heard(202, undefined, false)).toBeUndefined()
  expect(told).toEqual([
    'the other gateway refuses the signature (unknown): it does not know this gateway under that name, or has another public key of it',
    'the other gateway refuses the signature (expired): what is signed is too old for it: the clocks may differ',
    'the server refuses the signature of this gateway (HTTP 401)',
    'taken',
  ])
  // What concerns one caller is told to nobody else.
  expect(signer.heard(401, 'mcpgw-caller error="tenant"', false)?.fault.detail).toContain('may not speak there for callers of that tenant')
  expect(told.length).toBe(4)
})

it('another key in the file is taken within seconds; one that cannot be read leaves the one that there was', () => {
  const dir = mkdtempSync(join(tmpdir(), 'signers-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'edge.pem')
  const write = (text: string): void => writeFileSync(file, text, { mode: 0o600 })
  write(privateKey)
  const { signers, pass } = makeSigners({ privateKey: file })
  const kid = (): unknown =>
    JSON.parse(Buffer.from(signers(URL_OF_HUB, '').sign(request, undefined).split('.')[0]!, 'base64url').toString()).kid
  const first = kid()
  write(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  expect(kid()).toBe(first)
  pass(6000)
  const second = kid()
  expect(second).not.toBe(first)
  write('nothing')
  pass(6000)
  expect(kid()).toBe(second)
})

it.each<[string, () => string, string]>([
  [
    'another kind of key',
    () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    'expected an Ed25519 key, found ec',
  ],
  ['a public key', () => publicKey, 'not the PEM of a private key'],
  [
    'a file that others may read',
    () => {
      const dir = mkdtempSync(join(tmpdir(), 'signers-'))
      onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
      const file = join(dir, 'edge.pem')
      writeFileSync(file, privateKey)
      chmodSync(file, 0o644)
      return file
    },
    'others may read or change the key file',
  ],
])('a key that is %s cannot be used', (_what, make, problem) => {
  expect(readGatewayKey(make())).toMatchObject({ problem })
})

it('what the other gateway thinks of one caller when his lane is opened is a fault of his, and says nothing to others', () => {
  const { signers, told } = makeSigners()
  const [ofAnn, ofEdge] = [signers(URL_OF_HUB, ownerWithVoice(ann)), signers(URL_OF_HUB, '')]
  for (const status of [403, 429])
    expect([
      ofAnn.heard(status, undefined, true)?.fault.code,
      ofAnn.heard(status, undefined, false),
      ofEdge.heard(status, undefined, true),
    ]).toEqual(['upstream-credential', undefined, undefined])
  expect(ofAnn.heard(503, undefined, true)).toBeUndefined()
  expect(told).toEqual([])
  expect(agree(errorAnswer('upstream-credential', { server: 'hub' }))).toMatchObject({ code: 'upstream-credential' })
})

it('on the wire: the header is put on what is sent, a refusal ends as a fault of the credential, and nothing is sent that cannot be signed', async () => {
  const { signers } = makeSigners()
  const sent: Dispatcher.DispatchOptions[] = []
  let status = 200
  const pool: Sender = {
    dispatch(options, handler) {
      sent.push(options)
      let reason: Error | undefined
      const controller = {
        abort(why: Error) {
          reason = why
        },
      } as unknown as Dispatcher.DispatchController
      handler.onResponseStart?.(controller, status, { 'www-authenticate': 'mcpgw-caller error="unknown"' })
      if (reason !== undefined) handler.onResponseError?.(controller, reason)
      else handler.onResponseEnd?.(controller, {})
      return true
    },
  }
  const sender = createSigned(pool, signers(URL_OF_HUB, ownerWithVoice(ann)))
  const ask = (behalf?: Behalf): Promise<string> =>
    new Promise(resolve => {
      const options = { path: '/mcp', method: 'POST' as const, headers: { 'content-type': 'application/json' }, body: Buffer.from('hello') }
      sender.dispatch(
        { ...options, behalf },
        {
          onResponseStart: (_controller, got) => void (got === 401 && resolve('shown')),
          onResponseEnd: () => resolve('answered'),
          onResponseError: (_controller, error) => resolve(error instanceof CredentialFault ? error.fault.code : String(error)),
        },
      )
    })
  expect(await ask()).toBe('answered')
  const headers = sent[0]!.headers as Record<string, string>
  expect([headers['content-type'], 'authorization' in headers]).toEqual(['application/json', false])
  expect(readBy(headers['mcpgw-caller']!)).toMatchObject({ id: 'ann' })
  status = 401
  expect(await ask()).toBe('upstream-unavailable')
  expect(sent.length).toBe(2)
  expect(await ask(behalfOf(undefined))).toBe('upstream-credential')
  expect(sent.length).toBe(2)
})
