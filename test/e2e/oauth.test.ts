// The SDK's own OAuth client against the built gateway and a real authorization server: discovery, registration, code with PKCE, calls, step-up.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client as Client2, StreamableHTTPClientTransport as Http2, UnauthorizedError as Unauthorized2 } from '@modelcontextprotocol/client'
import { type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { describe, expect, test } from 'vitest'
import { type AuthorizationServer, startAuthorizationServer } from './authorization-server.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct, untilHealth } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, initialize, post } from './rpc.ts'
import { oddServer } from './servers.ts'

interface World {
  readonly dir: string
  readonly product: Product
  readonly provider: AuthorizationServer
  readonly url: string
}

async function startWorld(): Promise<World> {
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const provider = await startAuthorizationServer(
    [`${origin}/mcp`, `${origin}/mcp/odd`, 'https://elsewhere.example/mcp'],
    ['mcp', 'odd.write'],
  )
  const dir = createFolder()
  const auth = {
    jwt: [{ issuer: provider.issuer, audience: `${origin}/mcp`, claims: { roles: 'roles', tenant: 'org' } }],
    resource: { url: origin, scopes: ['mcp'], stepUp: [{ server: 'odd', tool: 'ec*', scopes: ['odd.write'] }] },
  }
  const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', { auth }] }
  const product = await startProduct({ dir, config, args: ['--http', `127.0.0.1:${port}`] })
  return { dir, product, provider, url: `${origin}/mcp` }
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** What an application has to bring: a memory for what the SDK's client learns. */
class Memory implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1/callback'
  readonly clientMetadata = {
    client_name: 'a test',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  client: OAuthClientInformationMixed | undefined
  given: OAuthTokens | undefined
  verifier = ''
  sentTo: URL | undefined
  clientInformation = () => this.client
  saveClientInformation = (client: OAuthClientInformationMixed): void => {
    this.client = client
  }
  tokens = () => this.given
  saveTokens = (tokens: OAuthTokens): void => {
    this.given = tokens
  }
  redirectToAuthorization = (url: URL): void => {
    this.sentTo = url
  }
  saveCodeVerifier = (verifier: string): void => {
    this.verifier = verifier
  }
  codeVerifier = () => this.verifier
}

const transportTo = (url: string, authProvider: Memory) => new StreamableHTTPClientTransport(new URL(url), { authProvider })

/** Sends somebody where the client says, and takes what they come back with. */
async function finish({ provider }: World, memory: Memory, transport: StreamableHTTPClientTransport, login = 'ann'): Promise<void> {
  const back = await provider.signIn(memory.sentTo!, login)
  await transport.finishAuth(back.searchParams.get('code') ?? '')
}

async function connect(world: World, memory: Memory, url = world.url): Promise<Client> {
  const first = transportTo(url, memory)
  await expect(new Client({ name: 'a', version: '1' }).connect(first as Transport)).rejects.toThrow(UnauthorizedError)
  await finish(world, memory, first)
  const client = new Client({ name: 'a', version: '1' })
  await client.connect(transportTo(url, memory) as Transport)
  return client
}

describe.skipIf(!isBuilt)('a client that signs in by OAuth', () => {
  test('finds the issuer, registers, gets a token with PKCE, and is known to the gateway as who signed in', async () => {
    const world = await startWorld()
    const memory = new Memory()
    const client = await connect(world, memory)
    const { tools } = await client.listTools()
    expect(tools.length).toBeGreaterThan(0)
    await client.callTool({ name: 'odd__pid' })

    const { searchParams } = memory.sentTo!
    expect(Object.fromEntries(searchParams)).toMatchObject({ code_challenge_method: 'S256', resource: world.url, scope: 'mcp' })
    expect(world.provider.asked).toEqual(expect.arrayContaining(['POST /reg', 'POST /token', 'GET /jwks']))
    await client.close()
    await world.product.stop()
    const records = readRecords(world.dir)
    const told = JSON.stringify(records)
    const known = records.filter(({ actor }) => actor?.id === 'ann')
    expect(known.length).toBeGreaterThan(0)
    expect(new Set(known.map(({ tenant }) => tenant))).toEqual(new Set(['acme']))
    expect(known.map(({ actor }) => actor)).toContainEqual({
      id: 'ann',
      method: 'jwt',
      issuer: world.provider.issuer,
      keyId: expect.any(String),
    })
    expect(told).not.toContain(memory.given!.access_token)
    expect(world.product.said()).not.toContain(memory.given!.access_token)
  })

  test('is asked for more scopes where a tool needs them, and then may call it', async () => {
    const world = await startWorld()
    const memory = new Memory()
    const first = transportTo(world.url, memory)
    await expect(new Client({ name: 'a', version: '1' }).connect(first as Transport)).rejects.toThrow(UnauthorizedError)
    await finish(world, memory, first)
    const transport = transportTo(world.url, memory)
    const client = new Client({ name: 'a', version: '1' })
    await client.connect(transport as Transport)
    const call = () => client.callTool({ name: 'odd__echo', arguments: { text: 'hello' } })

    await expect(call()).rejects.toThrow(UnauthorizedError)
    expect(memory.sentTo!.searchParams.get('scope')).toBe('mcp odd.write')
    await finish(world, memory, transport)
    expect(JSON.stringify(await call())).toContain('hello')
    await client.close()
    await world.product.stop()
    const calls = readRecords(world.dir).filter(({ tool }) => tool === 'echo')
    expect(calls.map(({ actor, outcome, decision }) => [actor?.id, outcome, decision?.code])).toEqual([
      ['ann', undefined, undefined],
      ['ann', undefined, 'insufficient-scope'],
      ['ann', undefined, undefined],
      ['ann', 'answered', undefined],
    ])
  })

  test('does so with the SDK of revision 2026-07-28 too, without a session', async () => {
    const world = await startWorld()
    const memory = new Memory()
    const open = () => new Http2(new URL(world.url), { authProvider: memory })
    const newClient = () => new Client2({ name: 'a', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    const first = open()
    await expect(newClient().connect(first)).rejects.toThrow(Unauthorized2)
    const back = await world.provider.signIn(memory.sentTo!, 'ann')
    await first.finishAuth(back.searchParams)
    const client = newClient()
    await client.connect(open())
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    expect(JSON.stringify(await client.callTool({ name: 'odd__pid', arguments: {} }))).toContain('content')
    await client.close()
  })

  test('with a token for one server reaches that endpoint, and with one for somebody else nothing', async () => {
    const world = await startWorld()
    const memory = new Memory()
    const client = await connect(world, memory, `${world.url}/odd`)
    expect(memory.sentTo!.searchParams.get('resource')).toBe(`${world.url}/odd`)
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    const { origin } = world.product
    const bearer = ['Authorization', `Bearer ${memory.given!.access_token}`]
    const { status, messages, headers } = await post(origin, initialize(), { headers: bearer })
    expect([status, codeOf(messages[0])]).toEqual([401, 'bad-credential'])
    expect(headers['www-authenticate']).toBe(
      `Bearer error="invalid_token", scope="mcp", resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
    )
    expect((await post(origin, initialize(), { headers: bearer, path: '/mcp/odd' })).status).toBe(200)
    await client.close()
  })

  test('keeps its token in force while the authorization server is away, and health says when it is not there from the start', async () => {
    const world = await startWorld()
    const memory = new Memory()
    const client = await connect(world, memory)
    await world.provider.stop()
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    await client.close()
    await world.product.stop()

    const again = await startProduct({ dir: world.dir, args: ['--http', new URL(world.product.origin).host] })
    await untilHealth(again.origin, ({ components }) => components.some(({ name, status }) => name === 'auth' && status === 'failing'))
    const headers = ['Authorization', `Bearer ${memory.given!.access_token}`]
    const { messages } = await post(again.origin, initialize(), { headers })
    expect(codeOf(messages[0])).toBe('plugin-failed')
  })
})

test.skipIf(!isBuilt)('what clients find at the well-known place is the same for servers that exist and that do not', async () => {
  const { product, provider } = await startWorld()
  const read = async (path: string): Promise<unknown> => {
    const response = await fetch(`${product.origin}/.well-known/oauth-protected-resource${path}`)
    return response.status === 200 ? response.json() : response.status
  }
  const about = (path: string) => ({
    resource: `${product.origin}${path}`,
    authorization_servers: [provider.issuer],
    scopes_supported: ['mcp'],
    bearer_methods_supported: ['header'],
  })
  expect(await read('')).toEqual(about('/mcp'))
  expect(await read('/mcp')).toEqual(about('/mcp'))
  expect(await read('/mcp/odd')).toEqual(about('/mcp/odd'))
  expect(await read('/mcp/no-such-server')).toEqual(about('/mcp/no-such-server'))
  expect([await read('/other'), await read('/mcp/a/b')]).toEqual([404, 404])
  const open = await post(product.origin, initialize())
  expect([open.status, open.headers['www-authenticate']]).toEqual([
    401,
    `Bearer scope="mcp", resource_metadata="${product.origin}/.well-known/oauth-protected-resource/mcp"`,
  ])
})

test.skipIf(!isBuilt).each<[string, object, string]>([
  ['an issuer without an audience', { jwt: [{ issuer: 'https://login.example' }] }, 'auth: expected an audience'],
  ['an unknown key', { jwt: [{ issuer: 'https://login.example', audience: 'x', audiences: ['y'] }] }, 'Unrecognized key: "audiences"'],
  [
    'a shared secret as a key',
    { jwt: [{ issuer: 'https://login.example', audience: 'x', jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }] },
    'a private or shared key',
  ],
  ['a resource without an issuer', { resource: { url: 'https://gw.example' } }, 'a resource needs an issuer'],
])('the gateway does not start with %s, and says so in one line at its place in the config', (_, auth, why) => {
  const dir = createFolder({ 'mcpgw.yaml': JSON.stringify({ servers: [], plugins: ['audit', { auth }] }, null, 2) })
  const { code, err } = runCli(['run', '--http', '127.0.0.1:0'], dir)
  expect(code).toBe(2)
  expect(err.split('\n').find(line => line.startsWith('error['))).toContain(why)
  expect(err).toMatch(/--> mcpgw\.yaml:\d+:\d+/)
})
