// A real OpenID provider, a server that takes its tokens alone, clients that open links, and browsers.
import { execFile } from 'node:child_process'
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import { expect } from 'vitest'
import { openBrowser } from '../core/credentials/user-setting.ts'
import { type HttpUpstream, startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import type { closeAfterEach } from '../core/data-plane/opened.ts'
import { type AuthorizationServer, startAuthorizationServer } from './authorization-server.ts'
import { CLI, type Product, runCli } from './product.ts'

type Opened = ReturnType<typeof closeAfterEach>

export const GATEWAY = 'https://gw.example'
const RESOURCE = 'https://crm.example/mcp'
export const SECRET = 'the-secret-of-the-gateway-0123456789'

export interface Shown {
  readonly token: string
  readonly sub: string
  /** False where it had ended, is for somebody else, or is not signed by the provider. */
  readonly isGood: boolean
}

export interface World {
  readonly provider: AuthorizationServer
  readonly upstream: HttpUpstream
  /** What the server was shown with calls. */
  readonly shown: Shown[]
  configOf(store?: object, keys?: object): object
}

/** `lifeS`: of access tokens. */
export async function startWorld(opened: Opened, lifeS = 6): Promise<World> {
  const client = {
    client_id: 'mcpgw',
    client_secret: SECRET,
    redirect_uris: [`${GATEWAY}/credentials/callback`],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'crm.read',
  }
  const provider = await startAuthorizationServer([RESOURCE], ['crm.read'], { clients: [client], lifeS })
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

export async function connect(opened: Opened, { origin }: Product, key: string): Promise<Client> {
  const client = new Client({ name: 'a', version: '1' }, { capabilities: { elicitation: { url: {} } } })
  const requestInit = { headers: { authorization: `Bearer ${key}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), { requestInit }) as Transport)
  opened({ close: () => client.close() })
  return client
}

export const namesOf = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name)

/** The link that a call is answered with. */
export async function linkOf(client: Client, name = 'crm__authorize'): Promise<string> {
  const error = (await client.callTool({ name }).then(
    () => undefined,
    (reason: unknown) => reason,
  )) as UrlElicitationRequiredError
  expect(error.code).toBe(-32042)
  expect(error.elicitations.map(({ mode }) => mode)).toEqual(['url'])
  return error.elicitations[0]!.url
}

/** Opens the link, goes on, signs in, consents, and comes back. */
export async function authorise({ provider }: World, product: Product, link: string, login: string): Promise<void> {
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
export const runBeside = (words: readonly string[], cwd: string): Promise<{ code: number; out: string; err: string }> =>
  new Promise(resolve => {
    const child = execFile(process.execPath, [CLI, ...words], { cwd, env: { PATH: process.env.PATH } }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })

export const createKey = (dir: string, principal: string): string =>
  (JSON.parse(runCli(['keys', 'create', principal, principal, '--json'], dir).out) as { key: string }).key
