// Tokens of a real OpenID provider: client credentials with a secret and with a key, for one resource.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, exportJWK, jwtVerify } from 'jose'
import { expect, it } from 'vitest'
import type { OAuthClient } from '../../../core/config/schema.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'

const opened = closeAfterEach()
const RESOURCE = 'https://crm.example/mcp'
const SECRET = 'the-secret-of-the-client-0123456789'

// The package has no types.
const { default: Provider, errors } = (await import('oidc-provider' as string)) as {
  readonly default: new (
    issuer: string,
    config: object,
  ) => { callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void> }
  readonly errors: { readonly InvalidTarget: new () => Error }
}

async function startProvider(publicKey: KeyObject): Promise<{ issuer: string; close(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const common = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  const provider = new Provider(issuer, {
    clients: [
      { client_id: 'by-secret', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic', ...common },
      {
        client_id: 'by-key',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] },
        ...common,
      },
    ],
    scopes: ['crm.read'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: async (_context: unknown, resource: string) => {
          if (resource !== RESOURCE) throw new errors.InvalidTarget()
          return { scope: 'crm.read', audience: RESOURCE, accessTokenTTL: 120, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }
        },
      },
    },
  })
  const answer = provider.callback()
  server.on('request', (request, response) => void answer(request, response))
  return {
    issuer,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

it('a provider gives tokens for one resource to a client with a secret and to one with a key, and the server gets them', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { issuer, close } = await startProvider(publicKey)
  opened({ close })
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const about = { issuer, scopes: ['crm.read'], resource: RESOURCE }
  const clients: OAuthClient[] = [
    { ...about, clientId: 'by-secret', clientSecret: SECRET },
    { ...about, clientId: 'by-key', privateKey: pem },
  ]
  for (const oauth of clients) {
    const upstream = opened(await startHttpUpstream())
    const gateway = opened(await startTestGateway({ servers: [upstream.server('crm', { auth: { oauth } })] }))
    const client = await connectHttp(gateway)
    expect(await client.ask('tools/call', { name: 'crm__echo' })).toHaveProperty('result')
    const shown = [...new Set(upstream.requests.map(({ headers }) => headers.authorization))]
    expect(shown.length).toBe(1)
    const { payload } = await jwtVerify(shown[0]!.replace('Bearer ', ''), keys, { issuer, audience: RESOURCE })
    expect(payload).toMatchObject({ client_id: oauth.clientId, scope: 'crm.read' })
    expect(gateway.events.filter(({ type }) => type.startsWith('credential.'))).toEqual([
      { type: 'credential.obtained', detail: { server: 'crm', mode: 'oauth', lifeS: 120 } },
    ])
  }
})

it('what a provider refuses is no token: its code is told, and the secret is not', async () => {
  const { issuer, close } = await startProvider(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  opened({ close })
  for (const [more, code] of [
    [{ clientSecret: 'not-the-secret-of-the-client' }, 'invalid_client'],
    [{ clientSecret: SECRET, resource: 'https://other.example' }, 'invalid_target'],
  ] as const) {
    const upstream = opened(await startHttpUpstream())
    const gateway = opened(
      await startTestGateway({ servers: [upstream.server('crm', { auth: { oauth: { issuer, clientId: 'by-secret', ...more } } })] }),
    )
    const client = await connectHttp(gateway)
    expect((await client.ask('tools/call', { name: 'crm__echo' })).error.data.mcpgw.code).toBe('upstream-unavailable')
    const shown = JSON.stringify([gateway.events, gateway.logged])
    expect(shown).toContain(code)
    expect(shown).not.toContain(more.clientSecret)
    expect(upstream.requests).toEqual([])
  }
})
