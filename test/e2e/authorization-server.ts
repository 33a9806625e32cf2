// A real OAuth authorization server on this machine, with dynamic registration, and somebody who signs in to it without a browser.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { onTestFinished } from 'vitest'

export interface AuthorizationServer {
  readonly issuer: string
  /** Paths that were asked for, with their method. */
  readonly asked: string[]
  /** From an authorization url to the url that the client is sent back to. */
  signIn(authorizationUrl: URL, login: string): Promise<URL>
  stop(): Promise<void>
}

export interface AuthorizationServerOptions {
  /** Beside those that register themselves; they get refresh tokens, each good once. */
  readonly clients?: readonly object[]
  /** Of access tokens, in seconds. */
  readonly lifeS?: number
}

/** `resources`: what tokens may be for; `scopes`: those that exist there. */
export async function startAuthorizationServer(
  resources: readonly string[],
  scopes: readonly string[],
  { clients = [], lifeS = 600 }: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'first', alg: 'ES256', use: 'sig' }] },
    clients,
    issueRefreshToken: async (_: unknown, client: { grantTypeAllowed(type: string): boolean }) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    cookies: { keys: ['of-a-test'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['openid', ...scopes],
    // The SDK's client registers with the scopes that it knows of then; whoever registers here may ask for the others later.
    extraClientMetadata: {
      properties: ['any_scope'],
      validator(_ctx: unknown, _key: string, _value: unknown, metadata: { scope?: string }) {
        metadata.scope = scopes.join(' ')
      },
    },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      registration: { enabled: true },
      revocation: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo(_: unknown, resource: string) {
          if (!resources.includes(resource)) throw new Error(`no such resource: ${resource}`)
          return {
            scope: scopes.join(' '),
            audience: resource,
            accessTokenTTL: lifeS,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          }
        },
      },
    },
    extraTokenClaims: () => ({ roles: ['reader'], org: 'acme' }),
  })
  const asked: string[] = []
  const answer = provider.callback()
  server.on('request', (request, response) => {
    asked.push(`${request.method} ${new URL(request.url ?? '/', issuer).pathname}`)
    answer(request, response)
  })
  const stop = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(stop)
  return { issuer, asked, stop, signIn: (url, login) => signIn(url, issuer, login) }
}

async function signIn(from: URL, issuer: string, login: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = from
  let form: URLSearchParams | undefined
  for (let steps = 0; steps < 20; steps++) {
    const response = await fetch(url, {
      redirect: 'manual',
      method: form === undefined ? 'GET' : 'POST',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form !== undefined && { body: form }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(name, value)
    }
    form = undefined
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url)
      if (url.origin !== issuer) return url
      continue
    }
    const page = await response.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1]
    if (response.status !== 200 || action === undefined)
      throw new Error(`no form at ${url.href}: ${response.status} ${page.slice(0, 2000)}`)
    url = new URL(action, url)
    form = new URLSearchParams(page.includes('value="login"') ? { prompt: 'login', login, password: 'x' } : { prompt: 'consent' })
  }
  throw new Error(`signing in does not end: ${url.href}`)
}
