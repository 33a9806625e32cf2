// The gateway as a protected resource: metadata and audiences of each endpoint, and scopes asked for all at once.
import { identify } from 'mcpgw/plugin'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../plugins/auth/authenticate.ts'
import { issuerSchema } from '../../../plugins/auth/jwt-config.ts'
import { createResource } from '../../../plugins/auth/resource.ts'
import { resourceSchema } from '../../../plugins/auth/resource-config.ts'
import { makePrincipal } from '../../../plugins/auth/ring.ts'
import { httpPeer, makeHome } from './gateway.ts'
import { audience, issuer, makeKey, makeToken } from './tokens.ts'

const url = 'https://gw.example'
const open = (more: object = {}) => createResource(resourceSchema.parse({ url, ...more }), [issuer])
const config = issuerSchema.parse({ issuer, audience: 'api://gateway' })

describe('an audience', () => {
  it.each<[string, string[], unknown]>([
    ['the one of the config', ['api://gateway'], 'all'],
    ['the endpoint of all servers', [`${url}/mcp`], 'all'],
    ['the endpoint of one server', [`${url}/mcp/crm`], new Set(['/mcp/crm'])],
    ['the endpoints of two', [`${url}/mcp/crm`, `${url}/mcp/notes`], new Set(['/mcp/crm', '/mcp/notes'])],
    ['one server and all', [`${url}/mcp/crm`, `${url}/mcp`], 'all'],
    ['the gateway without its endpoint', [url], undefined],
    ['a slash more', [`${url}/mcp/`], undefined],
    ['a path below', [`${url}/mcp/crm/x`], undefined],
    ['dots', [`${url}/mcp/..`], undefined],
    ['a query', [`${url}/mcp?x`], undefined],
    ['a name that begins like it', [`${url}.evil.example/mcp`], undefined],
    ['another scheme', ['http://gw.example/mcp'], undefined],
  ])('that is %s', (_, list, reached) => {
    expect(open().reach(list, config)).toEqual(reached)
  })

  it('of one endpoint holds there alone, also for a token that was seen before', async () => {
    const home = makeHome()
    const key = makeKey('k1')
    const gateway = await home.start({ jwt: [{ issuer, audience, jwks: { keys: [key.jwk] } }], resource: { url } })
    const headers = { authorization: `Bearer ${makeToken(key, { aud: `${url}/mcp/crm` })}` }
    const present = async (path?: string) =>
      (await gateway.present(headers, { peer: httpPeer(headers, path === undefined ? {} : { path }) })).kind
    for (let turn = 0; turn < 2; turn++) {
      const kinds = [
        await present('/mcp'),
        await present('/mcp/crm'),
        await present('/mcp/notes'),
        await present(),
        await present('/mcp/crm'),
      ]
      expect(kinds).toEqual(['deny', 'identify', 'deny', 'deny', 'identify'])
    }
    await gateway.stop()
    home.remove()
  })
})

describe('metadata', () => {
  it('names the scopes of a beginning alone, and only issuers that clients can be sent to', async () => {
    const resource = open({ scopes: ['mcp'], stepUp: [{ server: 'crm', scopes: ['crm'] }] })
    expect(resource.metadata('')).toMatchObject({ scopes_supported: ['mcp'] })
    expect(open({ stepUp: [{ scopes: ['crm'] }] }).metadata('')).not.toHaveProperty('scopes_supported')
    const home = makeHome()
    const jwks = { keys: [makeKey('k1').jwk] }
    const jwt = [
      { issuer, audience, jwks },
      { issuer: 'our-own', audience, jwks, tenant: 'own' },
    ]
    const gateway = await home.start({ jwt, resource: { url } })
    expect(gateway.documents.get('oauth-protected-resource')?.('', 'evil.example')).toMatchObject({
      resource: `${url}/mcp`,
      authorization_servers: [issuer],
    })
    await gateway.stop()
    home.remove()
  })

  it('of a gateway below a path is found with that path and without it', () => {
    const resource = open({ url: `${url}/gate/`, name: 'The gateway' })
    const expected = {
      resource: `${url}/gate/mcp/crm`,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
      resource_name: 'The gateway',
    }
    expect(resource.metadata('/gate/mcp/crm')).toEqual(expected)
    expect(resource.metadata('/mcp/crm')).toEqual(expected)
    expect([resource.metadata('/gate'), resource.metadata('/gate/'), resource.metadata('/gate2/mcp')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(resource.challenge('/mcp/crm')).toBe(`Bearer resource_metadata="${url}/.well-known/oauth-protected-resource/gate/mcp/crm"`)
  })
})

describe('scopes', () => {
  const resource = open({
    scopes: ['mcp'],
    stepUp: [
      { server: 'crm', scopes: ['crm'] },
      { server: 'crm', tool: 'delete_*', scopes: ['crm.write', 'crm.delete'] },
    ],
  })
  const call = (server: string, tool: string) => ({ kind: 'call', server, tool }) as const
  const check = (target: Parameters<typeof resource.check>[0], ...granted: string[]) => resource.check(target, new Set(granted), '/mcp')

  it('that are there let through', () => {
    expect(check(call('notes', 'delete_all'), 'mcp')).toBeUndefined()
    expect(check(call('crm', 'find'), 'mcp', 'crm')).toBeUndefined()
    expect(check(call('crm', 'delete_all'), 'mcp', 'crm', 'crm.write', 'crm.delete')).toBeUndefined()
    expect(check({ kind: 'plumbing' }, 'mcp')).toBeUndefined()
    expect(check({ kind: 'read', server: 'crm', uri: 'delete_all' }, 'mcp', 'crm')).toBeUndefined()
  })

  it('that are missing are named with all that are needed, and with those that the token has', () => {
    expect(check(call('crm', 'delete_all'), 'mcp')).toEqual({
      kind: 'deny',
      code: 'insufficient-scope',
      reason: 'the token lacks a scope',
      detail: 'the token lacks crm crm.write crm.delete',
      challenge: `Bearer error="insufficient_scope", scope="mcp crm crm.write crm.delete", resource_metadata="${url}/.well-known/oauth-protected-resource/mcp"`,
    })
    expect(check({ kind: 'list', of: 'tools' }, 'crm', 'other')).toMatchObject({ detail: 'the token lacks mcp' })
    expect(check({ kind: 'list', of: 'tools' }, 'crm', 'other')?.challenge).toContain('scope="mcp crm"')
    expect(check({ kind: 'prompt', server: 'crm', prompt: 'x' }, 'mcp')).toMatchObject({ detail: 'the token lacks crm' })
  })

  it('are asked for all at once of whoever makes an API key, which needs none', () => {
    const own = (tool: string) => ({ kind: 'call' as const, server: 'gateway', tool })
    const all = ['mcp', 'crm', 'crm.write', 'crm.delete']
    for (const tool of ['keys_create', 'keys_rotate']) {
      const target = { ...own(tool), secret: true as const }
      expect(check(target, ...all.slice(0, -1))).toMatchObject({ code: 'insufficient-scope', detail: 'the token lacks crm.delete' })
      expect(check(target, ...all)).toBeUndefined()
    }
    expect(check(own('keys_list'), 'mcp')).toBeUndefined()
  })

  it('are not asked of an API key, nor of somebody on stdio', async () => {
    const home = makeHome()
    const key = makeKey('k1')
    const jwt = [{ issuer, audience, jwks: { keys: [key.jwk] } }]
    const gateway = await home.start({ jwt, resource: { url, scopes: ['mcp'] } })
    const identified = await gateway.present({ authorization: `Bearer ${makeToken(key)}` })
    if (identified.kind !== 'identify') throw new Error('not identified')
    const peer = httpPeer({}, { path: '/mcp' })
    const seal = async (principal: object) =>
      (await gateway.hooks.onSealed!({ direction: 'to-server', resource: { kind: 'plumbing' }, peer, principal } as never)).kind
    expect(await seal(identified.principal)).toBe('deny')
    // Whose scopes are not known has none.
    expect(await seal({ ...identified.principal })).toBe('deny')
    expect(await seal(makePrincipal('a', undefined, [], 'default', { method: 'api-key' }))).toBe('pass')
    await gateway.stop()
    home.remove()
  })
})

it.each(['http://gw.example', 'https://gw.example/mcp', 'https://gw.example?x', 'https://user@gw.example', 'gw.example'])(
  'the url %s is refused in the config',
  given => {
    expect(resourceSchema.safeParse({ url: given }).success).toBe(false)
  },
)

it('a method that is never done refuses nobody else: an API key is answered while keys of an issuer are waited for', async () => {
  const slow = { name: 'slow', identify: () => new Promise<never>(() => {}) }
  const key = identify(makePrincipal('a', undefined, [], 'default', { method: 'api-key' }))
  const of = (methods: Parameters<typeof authenticate>[1]) =>
    authenticate({ direction: 'to-server', peer: httpPeer({ 'x-api-key': 'x' }) } as never, methods, key, 0)
  void of([slow])
  expect(of([{ name: 'quick', identify: () => key }])).toBe(key)
})
