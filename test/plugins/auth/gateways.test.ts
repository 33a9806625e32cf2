// Other gateways: nothing of a statement or its request may change, roles never widen, ids are nobody else's, keys come and go, and a start forgets nothing.
import { createHash } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Principal } from 'mcpgw/plugin'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { configSchema } from '../../../plugins/auth/config.ts'
import { createReplays } from '../../../plugins/auth/gateway-replays.ts'
import { openGateways } from '../../../plugins/auth/gateways.ts'
import { type Home, makeHome, type Started, startOfTests } from './gateway.ts'
import { call, hub, makePair, makeStatement, now, peerOf } from './statements.ts'

const key = makePair()
const home: Home = makeHome()
afterAll(() => home.remove())

const edge = { name: 'edge', audience: hub, keys: [key.pem], tenants: ['acme'] }

async function start(config: object = { gateways: [edge] }, at = now): Promise<Started> {
  const gateway = await home.start(config)
  onTestFinished(() => gateway.stop())
  gateway.now = at
  return gateway
}

async function principalOf(gateway: Started, statement: string): Promise<Principal> {
  const verdict = await gateway.present({}, { peer: peerOf(statement) })
  if (verdict.kind !== 'identify') throw new Error(JSON.stringify(verdict))
  return verdict.principal
}

it('no byte of the statement, and none of the method, path, query, body or session that it was made for, can be another', async () => {
  const gateway = await start()
  const sent = { target: '/mcp?page=2', headers: { 'mcp-session-id': 'session-1' } }
  const fresh = (): string => makeStatement(key, { path: sent.target, session: 'session-1' })
  const isTaken = async (statement: string, request: Parameters<typeof peerOf>[1]): Promise<boolean> =>
    (await gateway.present({}, { peer: peerOf(statement, request) })).kind === 'identify'
  expect(await isTaken(fresh(), sent)).toBe(true)
  const parts = ['statement', 'method', 'target', 'body', 'session'] as const
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...parts), fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), async (part, place, code) => {
      const statement = fresh()
      const change = (text: string): string => {
        const at = place % text.length
        return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
      }
      const whole = { statement, method: 'POST', target: sent.target, body: call, session: 'session-1' }
      const changed = { ...whole, [part]: change(whole[part]) }
      fc.pre(changed[part] !== whole[part])
      const { method, target, body, session } = changed
      expect(await isTaken(changed.statement, { method, target, body, headers: { 'mcp-session-id': session } })).toBe(false)
    }),
    { numRuns: 500 },
  )
})

it('a caller has no role that he did not bring, and none that the gateway may not bring', async () => {
  const role = fc.constantFrom('reader', 'writer', 'admin', 'lister', 'READER', 'read', 'reader.more', 'constructor')
  const roles = fc.uniqueArray(role)
  await fc.assert(
    fc.asyncProperty(roles, roles, roles, async (brought, may, own) => {
      const gateway = await home.start({ gateways: [{ ...edge, roles: may, ownRoles: own }] })
      gateway.now = now
      const { roles: has } = await principalOf(gateway, makeStatement(key, { roles: brought }))
      await gateway.stop()
      expect(new Set(has)).toEqual(new Set(brought.filter(one => may.includes(one))))
    }),
    { numRuns: 10 },
  )
})

it('nobody but a caller of the gateway has the id of one: not by a key, not by the config', async () => {
  const made = await home.run('keys create', ['Eve', 'edge/ann', 'reader'])
  const edgeItself = await home.run('keys create', ['Eve', 'edge', 'reader'])
  const near = await home.run('keys create', ['Eve', 'edge-2/ann', 'reader'])
  const gateway = await start()
  for (const { out } of [made, edgeItself])
    expect(await gateway.present({ authorization: `Bearer ${out}` })).toMatchObject({
      code: 'bad-credential',
      detail: 'an id of callers of gateway edge',
    })
  expect((await gateway.present({ authorization: `Bearer ${near.out}` })).kind).toBe('identify')
  expect(gateway.warnings.filter(line => line.includes('it is refused')).length).toBe(2)
  expect((await principalOf(gateway, makeStatement(key))).id).toBe('edge/ann')
  const without = await start({})
  expect((await without.present({ authorization: `Bearer ${made.out}` })).kind).toBe('identify')
  for (const [id, path] of [
    ['edge', 'stdio'],
    ['edge/ann', 'stdio'],
  ] as const) {
    const parsed = configSchema['~standard'].validate({ gateways: [edge], [path]: { id } })
    expect(JSON.stringify(await parsed)).toContain('ids like this are those of callers of gateway edge')
  }
})

it('where no gateway is configured, a statement is a credential that does not hold', async () => {
  const gateway = await start({})
  expect(await gateway.present({}, { peer: peerOf(makeStatement(key)) })).toMatchObject({ code: 'bad-credential' })
  expect(await gateway.present({}, { peer: peerOf(makeStatement(key), { headers: { 'x-api-key': 'k' } }) })).toMatchObject({
    code: 'many-credentials',
  })
})

it('failed statements are counted as other failures are; a good one is never held back by them', async () => {
  const gateway = await start({ gateways: [edge], failures: { limit: 3, window: 60 } })
  const stranger = makePair()
  const codes: unknown[] = []
  for (let i = 0; i < 4; i++) {
    const verdict = await gateway.present({}, { peer: peerOf(makeStatement(stranger)) })
    codes.push(verdict.kind === 'deny' && verdict.code)
  }
  expect(codes).toEqual(['bad-signature', 'bad-signature', 'bad-signature', 'too-many-failures'])
  expect((await principalOf(gateway, makeStatement(key))).id).toBe('edge/ann')
})

it('what a known gateway has signed is no attempt to guess: a caller of it who is refused holds back nobody else from its address', async () => {
  const gateway = await start({ gateways: [edge], failures: { limit: 3, window: 60 } })
  for (let i = 0; i < 5; i++)
    for (const [claims, word] of [
      [{ tenant: 'globex' }, 'tenant'],
      [{ aud: 'https://other.example/mcp' }, 'audience'],
      [{ via: ['edge'] }, 'loop'],
    ] as const)
      expect(await gateway.present({}, { peer: peerOf(makeStatement(key, claims)) })).toMatchObject({
        code: 'bad-signature',
        challenge: `mcpgw-caller error="${word}"`,
      })
  expect(await gateway.present({ authorization: 'Bearer nobody-knows-it' })).toMatchObject({ code: 'bad-credential' })
})

it('keys in files are taken anew when somebody asks for it: the old one is refused, and who came by it is sent away', async () => {
  const [one, two] = [makePair(), makePair()]
  const file = join(home.dir, 'edge.pub')
  writeFileSync(file, `${one.pem}${two.pem}`)
  const gateway = await start({ gateways: [{ ...edge, keys: ['edge.pub'] }] })
  const first = await principalOf(gateway, makeStatement(one))
  const second = await principalOf(gateway, makeStatement(two))
  expect([first.via, second.via]).toEqual([one, two].map(({ id }) => ({ method: 'gateway', issuer: 'edge', keyId: id })))
  for (const principal of [first, second]) gateway.openOf.set(principal, { sessions: 1, requests: 0 })
  writeFileSync(file, two.pem)
  await gateway.hooks.reload!()
  expect([...gateway.openOf.keys()]).toEqual([second])
  expect(await gateway.present({}, { peer: peerOf(makeStatement(one)) })).toMatchObject({ detail: 'gateway edge: no such key' })
  await principalOf(gateway, makeStatement(two))
  writeFileSync(file, 'nothing')
  await expect(gateway.hooks.reload!()).rejects.toThrow('expected the PEM of a public key')
  await principalOf(gateway, makeStatement(two))
})

it('a key that is taken out while Redis is asked whether its request is new lets nobody in', async () => {
  const [one, two] = [makePair(), makePair()]
  const file = join(home.dir, 'edge.pub')
  const answers: ((taken: number) => void)[] = []
  const redis = {
    name: 'redis://test',
    connect: async () => {},
    close: async () => {},
    watch() {},
    run: () => new Promise<number>(resolve => answers.push(resolve)),
  }
  const ways = { stores: { ...createStores({ dataDir: home.dir }), redis: () => redis }, clock: { now: () => now } }
  const open = async () => {
    writeFileSync(file, `${one.pem}${two.pem}`)
    const config = configSchema.parse({ gateways: [{ ...edge, keys: ['edge.pub'] }] })
    const context = { ...ways, expel: () => ({ sessions: 0, requests: 0 }), onStop() {}, health() {} }
    return (await openGateways(context as never, config.gateways))!
  }
  for (const left of [`${one.pem}${two.pem}`, two.pem]) {
    const gateways = await open()
    const statement = makeStatement(one)
    const asked = gateways.identify(statement, peerOf(statement), now)
    writeFileSync(file, left)
    await gateways.reload()
    answers.pop()!(1)
    expect(await asked).toMatchObject(left === two.pem ? { kind: 'deny', code: 'bad-signature' } : { kind: 'identify' })
  }
})

const pemOf = (what: 'private' | 'ec'): string => {
  const { privateKey } = makePair()
  return what === 'private' ? privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() : EC
}
const EC = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----`

/** The neutral element: of each text, one and the same signature holds. */
const WEAK = Buffer.from([1, ...Array<number>(31).fill(0)]).toString('base64url')

it.each<[string, readonly object[], string]>([
  ['a private key', [{ ...edge, keys: [pemOf('private')] }], 'edge: keys[0]: a private key: give the public one'],
  ['a private JWK', [{ ...edge, keys: [{ ...key.jwk, d: 'x' }] }], 'edge: keys[0]: a private key: give the public one'],
  ['a key of another kind', [{ ...edge, keys: [pemOf('ec')] }], 'edge: keys[0]: expected an Ed25519 key, found ec'],
  ['a JWK of another kind', [{ ...edge, keys: [{ kty: 'RSA', n: 'x', e: 'AQAB' }] }], 'edge: keys[0]: expected an Ed25519 key'],
  ['a key under which anybody can sign', [{ ...edge, keys: [{ ...key.jwk, x: WEAK }] }], 'edge: keys[0]: a weak key'],
  ['a file that is not there', [{ ...edge, keys: [key.jwk, 'none.pub'] }], 'edge: keys[1]:'],
  ['a file that others may write', [{ ...edge, keys: ['open.pub'] }], 'others may change it'],
  ['one key for two gateways', [edge, { ...edge, name: 'far' }], 'edge and far have the same key'],
])('does not start with %s', async (_what, gateways, why) => {
  writeFileSync(join(home.dir, 'open.pub'), key.pem)
  chmodSync(join(home.dir, 'open.pub'), 0o666)
  await expect(home.start({ gateways })).rejects.toThrow(why)
})

it.each<[string, object, string]>([
  ['a name with a slash', { ...edge, name: 'a/b' }, 'a name is at most 32'],
  ['no audience', { ...edge, audience: undefined }, 'expected a text, or a list of them'],
  ['no key', { ...edge, keys: [] }, 'keys'],
  ['a role for all', { ...edge, roles: ['*'] }, 'without wildcards'],
])('refuses a config with %s', (_what, gateway, why) => {
  const read = configSchema.safeParse({ gateways: [gateway] })
  expect(JSON.stringify(read.error?.issues)).toContain(why)
})

it('a name that stands there twice is refused', () => {
  const read = configSchema.safeParse({ gateways: [edge, { ...edge, keys: [makePair().pem] }] })
  expect(JSON.stringify(read.error?.issues)).toContain('the gateway edge stands there twice')
})

it('what was signed before the start is refused: nobody remembers whether it was used', async () => {
  const gateway = await start({ gateways: [edge] }, startOfTests)
  const signed = (ms: number): string => makeStatement(key, { iat: (startOfTests + ms) / 1000, exp: (startOfTests + ms) / 1000 + 30 })
  expect(await gateway.present({}, { peer: peerOf(signed(-1)) })).toMatchObject({ challenge: 'mcpgw-caller error="restarted"' })
  expect((await gateway.present({}, { peer: peerOf(signed(0)) })).kind).toBe('identify')
})

it('each id is new once as long as it holds; more than can be remembered are refused, and none is forgotten before its end', async () => {
  const replays = createReplays(undefined)
  expect([
    await replays.take('edge', 'one', 100, 0),
    await replays.take('edge', 'one', 100, 99),
    await replays.take('far', 'one', 100, 99),
  ]).toEqual(['new', 'used', 'new'].map(kind => ({ kind })))
  let at = 0
  while ((await replays.take('edge', `id-${at}`, 1000, 200)).kind === 'new') at++
  expect(at).toBe(100_000)
  expect(await replays.take('edge', 'id-0', 1000, 999)).toEqual({ kind: 'used' })
  expect((await replays.take('far', 'another', 1000, 999)).kind).toBe('new')
  expect((await replays.take('edge', 'another', 2000, 1001)).kind).toBe('new')
})

it('with a store that all share an id is new once for all of them; while that is away, whether it is cannot be told', async () => {
  const kept = new Set<string>()
  let isAway = false
  const redis = {
    name: 'redis://test',
    async run(_script: string, [id]: readonly string[], [ms]: readonly (string | number)[]) {
      if (isAway) throw new Error('gone')
      expect(ms).toBe(1000)
      const had = kept.has(id!)
      kept.add(id!)
      return had ? 0 : 1
    },
  } as never
  const [one, two] = [createReplays(redis), createReplays(redis)]
  const take = (replays: typeof one, jti: string) => replays.take('edge', jti, 1000, 0)
  expect([await take(one, 'a'), await take(two, 'a'), await take(two, 'b'), await take(one, 'b')].map(({ kind }) => kind)).toEqual([
    'new',
    'used',
    'new',
    'used',
  ])
  isAway = true
  expect(await take(one, 'c')).toEqual({ kind: 'unsure', why: 'redis://test: gone' })
  isAway = false
  expect((await take(one, 'c')).kind).toBe('used')
  expect([...kept].every(id => id.startsWith('mcpgw:caller:') && !id.includes('edge'))).toBe(true)
  expect(createHash('sha256').update('edge\0a').digest('base64url')).toBe([...kept][0]!.slice('mcpgw:caller:'.length))
})
