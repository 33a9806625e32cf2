// A small and strict authorization server for tests: it refuses what the specification refuses, and fails as a test wants it to.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, type JWTPayload, jwtVerify, type KeyObject } from 'jose'

export interface TokenAsked {
  readonly form: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

export interface FakeAuthority {
  readonly url: string
  readonly token: string
  /** Requests to the token endpoint, good and bad. */
  readonly asked: TokenAsked[]
  /** Tokens that clients have had taken back, by their hints; only where the metadata name the place, `URL/revoke`. */
  readonly revoked: { readonly token: string; readonly hint: string }[]
  /** Paths of all other requests. */
  readonly paths: string[]
  /** Tokens that were made, in order. */
  readonly made: string[]
  /** Assertions that were accepted. */
  readonly assertions: JWTPayload[]
  /** Takes a request in place of the server; true where it did. */
  intercept: ((asked: TokenAsked, response: ServerResponse) => boolean) | undefined
  interceptRevoke: FakeAuthority['intercept']
  /** Members of the next answers that differ. */
  answer: Readonly<Record<string, unknown>>
  /** Awaited before a request is dealt with. */
  before: (() => Promise<void>) | undefined
  metadata: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

export interface FakeAuthorityOptions {
  readonly clientId?: string
  readonly clientSecret?: string
  /** Of a client that signs. */
  readonly key?: KeyObject | CryptoKey
  /** Deals with other grants; an answer, or undefined where the grant is refused. */
  readonly grant?: (form: URLSearchParams) => Readonly<Record<string, unknown>> | undefined
  /** Path of the issuer, `/tenant` say. */
  readonly path?: string
}

export async function startFakeAuthority(options: FakeAuthorityOptions = {}): Promise<FakeAuthority> {
  const { clientId = 'mcpgw', clientSecret = 'client secret+/=%', key, path = '' } = options

  async function isClient({ form, headers }: TokenAsked): Promise<boolean> {
    if (key !== undefined) {
      if (headers.authorization !== undefined || form.get('client_secret') !== null) return false
      if (form.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') return false
      const { payload } = await jwtVerify(form.get('client_assertion') ?? '', key, {
        issuer: clientId,
        subject: clientId,
        requiredClaims: ['jti', 'exp'],
      })
      if (payload.aud !== fake.url && payload.aud !== fake.token) return false
      if (fake.assertions.some(one => one.jti === payload.jti)) return false
      fake.assertions.push(payload)
      return true
    }
    const [kind, pair = ''] = (headers.authorization ?? '').split(' ')
    if (kind === 'Basic') {
      const parts = Buffer.from(pair, 'base64')
        .toString()
        .split(':')
        .map(part => new URLSearchParams(`v=${part}`).get('v'))
      return form.get('client_secret') === null && parts[0] === clientId && parts[1] === clientSecret
    }
    return form.get('client_id') === clientId && form.get('client_secret') === clientSecret
  }

  async function take(asked: TokenAsked, response: ServerResponse): Promise<void> {
    fake.asked.push(asked)
    await fake.before?.()
    if (fake.intercept?.(asked, response)) return
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const { form, headers } = asked
    if (headers['content-type'] !== 'application/x-www-form-urlencoded') return void json(400, { error: 'invalid_request' })
    // Spec: RFC 6749, 3.2: no parameter twice.
    if (new Set(form.keys()).size !== [...form.keys()].length) return void json(400, { error: 'invalid_request' })
    if (!(await isClient(asked).catch(() => false))) return void json(401, { error: 'invalid_client' })
    const granted = form.get('grant_type') === 'client_credentials' ? {} : options.grant?.(form)
    if (granted === undefined) return void json(400, { error: 'invalid_grant', error_description: 'SECRET-DESCRIPTION' })
    const access = `at.${randomBytes(24).toString('base64url')}`
    fake.made.push(access)
    json(200, { access_token: access, token_type: 'Bearer', expires_in: 3600, ...granted, ...fake.answer })
  }

  async function takeBack(asked: TokenAsked, response: ServerResponse): Promise<void> {
    if (fake.interceptRevoke?.(asked, response)) return
    if (!(await isClient(asked).catch(() => false))) return void response.writeHead(401).end('{"error":"invalid_client"}')
    fake.revoked.push({ token: asked.form.get('token') ?? '', hint: asked.form.get('token_type_hint') ?? '' })
    response.writeHead(200).end()
  }

  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', part => {
      text += part
    })
    request.on('end', () => {
      if (request.url === `${path}/token` && request.method === 'POST') {
        void take({ form: new URLSearchParams(text), headers: request.headers }, response)
        return
      }
      if (request.url === `${path}/revoke` && request.method === 'POST') {
        void takeBack({ form: new URLSearchParams(text), headers: request.headers }, response)
        return
      }
      fake.paths.push(request.url ?? '')
      if (request.url === `/.well-known/oauth-authorization-server${path}`)
        return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(fake.metadata))
      response.writeHead(404).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const fake: FakeAuthority = {
    url,
    token: `${url}/token`,
    asked: [],
    revoked: [],
    interceptRevoke: undefined,
    paths: [],
    made: [],
    assertions: [],
    intercept: undefined,
    before: undefined,
    answer: {},
    metadata: { issuer: url, token_endpoint: `${url}/token`, authorization_endpoint: `${url}/authorize` },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return fake
}
