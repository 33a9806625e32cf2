// A gateway for whose server each user must authorise it, an authorization server of the strict kind, and browsers.
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import type { UserClient } from '../../../core/config/schema.ts'
import type { Token } from '../../../core/credentials/token-answer.ts'
import { createHealth } from '../../../core/health.ts'
import type { LoadedPlugin } from '../../../core/pipeline.ts'
import { connectHttp, type HttpClient } from '../data-plane/clients.ts'
import { authenticating, startTestGateway, type TestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, type HttpUpstreamOptions, startHttpUpstream } from '../data-plane/http-upstream.ts'
import type { closeAfterEach } from '../data-plane/opened.ts'
import { realClock } from '../upstream/manual-clock.ts'
import { type FakeAuthority, startFakeAuthority } from './fake-authority.ts'

export const GATEWAY = 'https://gw.example'
export const CALLBACK = `${GATEWAY}/credentials/callback`

export interface UserAuthority {
  readonly authority: FakeAuthority
  /** The user logs in and allows: the url that the browser is sent back to. */
  allow(authorizeUrl: string, user: string): string
  /** Whose each access token is. */
  readonly issued: Map<string, string>
  /** Refresh tokens that are good; each is good once. */
  readonly refreshes: Map<string, string>
  /** Refresh tokens that came a second time. */
  readonly reused: string[]
}

export async function startUserAuthority(opened: ReturnType<typeof closeAfterEach>, lifeS = 3600): Promise<UserAuthority> {
  const codes = new Map<string, { readonly user: string; readonly challenge: string }>()
  const issued = new Map<string, string>()
  const refreshes = new Map<string, string>()
  const reused: string[] = []
  let serial = 0
  const give = (user: string): Readonly<Record<string, unknown>> => {
    const access = `access-token-of-user-${++serial}`
    const refresh = `refresh-token-of-user-${serial}`
    issued.set(access, user)
    refreshes.set(refresh, user)
    return { access_token: access, refresh_token: refresh, expires_in: lifeS }
  }
  const authority = opened(
    await startFakeAuthority({
      grant(form) {
        if (form.get('grant_type') === 'refresh_token') {
          const given = form.get('refresh_token') ?? ''
          const user = refreshes.get(given)
          if (user === undefined) reused.push(given)
          refreshes.delete(given)
          return user === undefined ? undefined : give(user)
        }
        const code = form.get('code') ?? ''
        const found = codes.get(code)
        codes.delete(code)
        const proof = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url')
        if (form.get('grant_type') !== 'authorization_code' || found?.challenge !== proof || form.get('redirect_uri') !== CALLBACK)
          return undefined
        return give(found.user)
      },
    }),
  )
  authority.metadata = {
    ...authority.metadata,
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ['S256'],
  }
  return {
    authority,
    issued,
    refreshes,
    reused,
    allow(authorizeUrl, user) {
      const { searchParams: query } = new URL(authorizeUrl)
      const isRight =
        query.get('response_type') === 'code' &&
        query.get('client_id') === 'mcpgw' &&
        query.get('redirect_uri') === CALLBACK &&
        query.get('code_challenge_method') === 'S256' &&
        (query.get('state') ?? '').length > 40
      if (!isRight) throw new Error(`the authorization server refuses ${authorizeUrl}`)
      const code = `code-${++serial}`
      codes.set(code, { user, challenge: query.get('code_challenge') ?? '' })
      return `${CALLBACK}?${new URLSearchParams({ code, state: query.get('state') ?? '', iss: authority.url }).toString()}`
    },
  }
}

/** One that a user gave before. */
export function firstToken(from: UserAuthority, user: string, lifeMs = 3_600_000): Token & { readonly refresh: string } {
  const refresh = `first-refresh-of-${user}`
  from.refreshes.set(refresh, user)
  return { access: `first-access-of-${user}`, lifeMs, refresh }
}

export interface Page {
  readonly status: number
  readonly text: string
  readonly location: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Browser {
  readonly cookies: Map<string, string>
  get(url: string): Promise<Page>
  /** Sends the one form of the page. */
  submit(page: Page): Promise<Page>
}

/** Takes what is at `GATEWAY` to the gateway: where `at` changes, to another one from then on, as a balancer does. */
export function openBrowser(at: Pick<TestGateway, 'port'>): Browser {
  const cookies = new Map<string, string>()
  const go = (url: string): Promise<Page> =>
    new Promise((resolve, reject) => {
      const { pathname, search, host } = new URL(url)
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { host, ...(cookie !== '' && { cookie }) }
      const sent = request({ host: '127.0.0.1', port: at.port, path: pathname + search, headers }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', part => {
          text += part
        })
        response.on('end', () => {
          for (const set of response.headers['set-cookie'] ?? []) {
            const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
            if (/Max-Age=0/.test(set)) cookies.delete(name)
            else cookies.set(name, value)
          }
          resolve({ status: response.statusCode ?? 0, text, location: response.headers.location ?? '', headers: response.headers })
        })
      })
      sent.on('error', reject).end()
    })
  return {
    cookies,
    get: go,
    submit(page) {
      const [id = '', word = ''] = ['request', 'confirm'].map(
        name => new RegExp(`name="${name}"\\s+value="([^"]+)"`).exec(page.text)?.[1] ?? '',
      )
      return go(`${GATEWAY}/credentials/start?request=${id}&confirm=${word}`)
    },
  }
}

export interface UserSetting {
  readonly upstream: HttpUpstream
  readonly gateway: TestGateway
  readonly health: ReturnType<typeof createHealth>
  connect(who: string): Promise<HttpClient>
}

export async function startUsers(
  opened: ReturnType<typeof closeAfterEach>,
  { authority, issued }: UserAuthority,
  {
    plugins = [],
    isModern = false,
    client = {},
    on = {},
  }: { plugins?: readonly LoadedPlugin[]; isModern?: boolean; client?: Partial<UserClient>; on?: HttpUpstreamOptions['on'] } = {},
): Promise<UserSetting> {
  const upstream = opened(
    await startHttpUpstream({
      ...(isModern && { modern: '{"tools":{}}' }),
      ...(on && { on }),
      intercept(request, response) {
        const isKnown = issued.has(String(request.headers.authorization).replace('Bearer ', ''))
        if (!isKnown) response.writeHead(401).end()
        return !isKnown
      },
    }),
  )
  const user: UserClient = { issuer: authority.url, clientId: 'mcpgw', clientSecret: 'client secret+/=%', gateway: GATEWAY, ...client }
  const health = createHealth({ clock: realClock })
  const gateway = opened(
    await startTestGateway({
      servers: [upstream.server('crm', { auth: { user }, protocol: isModern ? 'modern' : 'legacy' })],
      plugins: [authenticating, ...plugins],
      listen: { hosts: ['gw.example'] },
      health,
    }),
  )
  const connect = (who: string): Promise<HttpClient> =>
    connectHttp(gateway, { headers: { authorization: who }, capabilities: '{"elicitation":{"url":{}}}' })
  return { upstream, gateway, health, connect }
}
