// A user authorises the built gateway at a real OpenID provider, which knows nothing of it but a client: asked, allowed, called, renewed, revoked.
import { execFile } from 'node:child_process'
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test } from 'vitest'
import { openBrowser } from '../core/credentials/user-setting.ts'
import { type HttpUpstream, startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { closeAfterEach } from '../core/data-plane/opened.ts'
import { createDatabase, server as database } from '../postgres/server.ts'
import { type AuthorizationServer, startAuthorizationServer } from './authorization-server.ts'
import { CLI, createFolder, isBuilt, type Product, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'

const opened = closeAfterEach()
const GATEWAY = 'https://gw.example'
const RESOURCE = 'https://crm.example/mcp'
const SECRET = 'the-secret-of-the-gateway-0123456789'
const LIFE_S = 6

interface Shown {
  readonly token: string
  readonly sub: string
  /** False where it had ended, is for somebody else, or is not signed by the provider. */
  readonly isGood: boolean
}

interface World {
  readonly provider: AuthorizationServer
  readonly upstream: HttpUpstream
  /** What the server was shown with calls. */
  readonly shown: Shown[]
  configOf(store?: object, keys?: object): object
}

async function startWorld(): Promise<World> {
  const client = {
    client_id: 'mcpgw',
    client_secret: SECRET,
    redirect_uris: [`${GATEWAY}/credentials/callback`],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'crm.read',
  }
  const provider = await startAuthorizationServer([RESOURCE], ['crm.read'], { clients: [client], lifeS: LIFE_S })
  const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: JsonWebKey[] }
  const key = createPublicKey({ key: keys[0]!, format: 'jwk' })
  const shown: Shown[] = []
  const upstream = opened(
    await startHttpUpstream({
      intercept(request, response, body) {
        const one = readToken(String(request.headers.authorization).replace('Bearer ', ''), key, provider.issuer)
        if (body.includes('"tools/call"')) shown.push(one)
        if (!one.isGood) response.writeHead(401).end()
        return !one.isGood
      },
    }),
  )
  const user = {
    issuer: provider.issuer,
    clientId: 'mcpgw',
    clientSecret: SECRET,
    gateway: GATEWAY,
    scopes: ['crm.read'],
    resource: RESOURCE,
  }
  const configOf = (store = {}, keys = {}) => ({
    listen: { hosts: ['gw.example', '127.0.0.1'] },
    servers: [{ id: 'crm', url: upstream.url, auth: { user }, protocol: 'legacy' }],
    plugins: ['audit', { auth: { keys } }],
    store,
  })
  return { provider, upstream, shown, configOf }
}

/** As a careful server does it. */
function readToken(token: string, key: ReturnType<typeof createPublicKey>, issuer: string): Shown {
  const [head = '', body = '', signature = ''] = token.split('.')
  const isSigned = verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
  if (!isSigned) return { token, sub: '', isGood: false }
  const { sub, iss, aud, exp } = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
  return { token, sub: String(sub), isGood: iss === issuer && aud === RESOURCE && Number(exp) * 1000 > Date.now() }
}

async function connect({ origin }: Product, key: string): Promise<Client> {
  const client = new Client({ name: 'a', version: '1' }, { capabilities: { elicitation: { url: {} } } })
  const requestInit = { headers: { authorization: `Bearer ${key}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), { requestInit }) as Transport)
  opened({ close: () => client.close() })
  return client
}

const namesOf = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name)

/** The link that a call is answered with. */
async function linkOf(client: Client, name = 'crm__authorize'): Promise<string> {
  const error = (await client.callTool({ name }).then(
    () => undefined,
    (reason: unknown) => reason,
  )) as UrlElicitationRequiredError
  expect(error.code).toBe(-32042)
  expect(error.elicitations.map(({ mode }) => mode)).toEqual(['url'])
  return error.elicitations[0]!.url
}

/** Opens the link, goes on, signs in, consents, and comes back. */
async function authorise({ provider }: World, product: Product, link: string, login: string): Promise<void> {
  const browser = openBrowser({ port: Number(new URL(product.origin).port) })
  const left = await browser.submit(await browser.get(link))
  expect(left.status).toBe(303)
  expect(new URL(left.location).searchParams.get('code_challenge_method')).toBe('S256')
  const back = await provider.signIn(new URL(left.location), login)
  expect(back.origin).toBe(GATEWAY)
  const done = await browser.get(back.href)
  expect([done.status, done.text]).toEqual([200, expect.stringContaining('has authorised this gateway')])
}

/** Not `runCli`: the provider lives in this process and must be able to answer. */
const runBeside = (words: readonly string[], cwd: string): Promise<{ code: number; out: string; err: string }> =>
  new Promise(resolve => {
    const child = execFile(process.execPath, [CLI, ...words], { cwd, env: { PATH: process.env.PATH } }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })

const createKey = (dir: string, principal: string): string =>
  (JSON.parse(runCli(['keys', 'create', principal, principal, '--json'], dir).out) as { key: string }).key

describe.skipIf(!isBuilt)('a user', () => {
  test('authorises the gateway once; his calls, and nobody else’s, go on with his own token, renewed, until it is revoked', async () => {
    const world = await startWorld()
    const { provider, shown, upstream } = world
    const dir = createFolder()
    const [annKey, bobKey] = [createKey(dir, 'ann'), createKey(dir, 'bob')]
    const product = await startProduct({ dir, config: world.configOf() })
    const [ann, bob] = [await connect(product, annKey), await connect(product, bobKey)]
    expect(await namesOf(ann)).toEqual(['crm__authorize'])
    await authorise(world, product, await linkOf(ann), 'ann-at-crm')
    expect(await namesOf(ann)).toEqual(['crm__echo'])
    expect(JSON.stringify(await ann.callTool({ name: 'crm__echo' }))).toContain('content')
    expect(await namesOf(bob)).toEqual(['crm__authorize'])

    // Past the end of the first ones.
    const first = shown.length
    await expect
      .poll(
        async () => {
          await ann.callTool({ name: 'crm__echo' })
          return new Set(shown.slice(first).map(({ token }) => token)).size
        },
        { timeout: 30_000, interval: 300 },
      )
      .toBeGreaterThan(1)
    expect(shown.map(({ sub, isGood }) => `${sub} ${isGood}`)).toEqual(shown.map(() => 'ann-at-crm true'))
    expect(provider.asked.filter(path => path === 'POST /token').length).toBeGreaterThan(1)
    for (const { rawHeaders } of upstream.requests) expect(rawHeaders.join()).not.toMatch(/mgk_/)

    const listed = runCli(['credentials', 'list', '--json'], dir)
    expect(JSON.parse(listed.out)).toMatchObject({
      credentials: [{ server: 'crm', principal: 'ann', method: 'api-key', renewable: true, scopes: ['crm.read'] }],
    })
    const revoked = await runBeside(['credentials', 'revoke', 'ann'], dir)
    expect(revoked.code, revoked.err).toBe(0)
    expect(revoked.out).toContain('has revoked it')
    expect(provider.asked).toContain('POST /token/revocation')
    const isAsked = (): Promise<boolean> =>
      ann.callTool({ name: 'crm__echo' }).then(
        () => false,
        (error: { code?: number }) => error.code === -32042,
      )
    await expect.poll(isAsked, { timeout: 10_000 }).toBe(true)
    const calls = shown.length
    await linkOf(ann, 'crm__echo')
    expect(shown.length).toBe(calls)

    // He may change his mind.
    await authorise(world, product, await linkOf(ann, 'crm__echo'), 'ann-at-crm')
    expect(JSON.stringify(await ann.callTool({ name: 'crm__echo' }))).toContain('content')
    await product.stop()
    const records = readRecords(dir).filter(({ type }) => type.startsWith('credential.'))
    expect(records.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['credential.authorized', 'credential.renewed', 'credential.revoked']),
    )
    const told = JSON.stringify([records, product.said(), listed, revoked])
    for (const { token } of shown) expect(told).not.toContain(token)
    expect(told).not.toContain(SECRET)
  }, 120_000)

  test.skipIf(database === undefined)(
    'authorises one gateway, and another with the same database and key needs not ask; revoked, it ends on both',
    async () => {
      const world = await startWorld()
      const url = await createDatabase()
      const [dir, second] = [createFolder(), createFolder()]
      const keys = { path: join(dir, '.mcpgw/keys.db'), pepper: join(dir, '.mcpgw/keys.pepper') }
      const annKey = createKey(dir, 'ann')
      const config = { ...world.configOf({ url }, keys), plugins: [{ auth: { keys } }] }
      const one = await startProduct({ dir, config })
      const ann = await connect(one, annKey)
      await authorise(world, one, await linkOf(ann), 'ann-at-crm')
      mkdirSync(join(second, '.mcpgw'), { mode: 0o700 })
      copyFileSync(join(dir, '.mcpgw/credentials.key'), join(second, '.mcpgw/credentials.key'))
      const two = await startProduct({ dir: second, config })
      const there = await connect(two, annKey)
      for (const client of [ann, there]) expect(JSON.stringify(await client.callTool({ name: 'crm__echo' }))).toContain('content')
      expect(new Set(world.shown.map(({ sub, isGood }) => `${sub} ${isGood}`))).toEqual(new Set(['ann-at-crm true']))
      expect((await runBeside(['credentials', 'revoke', '--server', 'crm'], second)).code).toBe(0)
      for (const client of [ann, there])
        await expect
          .poll(
            () =>
              client.callTool({ name: 'crm__echo' }).then(
                () => 0,
                (error: { code?: number }) => error.code,
              ),
            { timeout: 10_000 },
          )
          .toBe(-32042)
    },
    120_000,
  )
})
