// `mcpgw credentials`: whose tokens there are, and taking them back, here and at the issuer; no output and no record has a token.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createUserTokens, type UserTokens } from '../../../core/credentials/user-tokens.ts'
import { createStores } from '../../../core/store/index.ts'
import { readRecords } from '../../e2e/records.ts'
import { createDatabase, server, run as sql } from '../../postgres/server.ts'
import { type FakeAuthority, startFakeAuthority } from '../credentials/fake-authority.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { createFolder, say } from './run-command.ts'

const opened = closeAfterEach()
const SINCE = Date.UTC(2026, 10, 1, 9, 30)
const UNTIL = Date.UTC(2026, 10, 1, 10, 30)

interface Project {
  readonly dir: string
  readonly authority: FakeAuthority
  readonly tokens: UserTokens
}

async function createProject({ takesBack = true, url = undefined as string | undefined } = {}): Promise<Project> {
  const authority = opened(await startFakeAuthority({ clientSecret: 'secret-of-the-client' }))
  if (takesBack) authority.metadata = { ...authority.metadata, revocation_endpoint: `${authority.url}/revoke` }
  const user = { issuer: authority.url, clientId: 'mcpgw', clientSecret: 'secret-of-the-client', gateway: 'https://gw.example' }
  const config = {
    listen: { hosts: ['gw.example'] },
    servers: ['crm', 'docs'].map(id => ({ id, url: `https://${id}.example/mcp`, auth: { user } })),
    plugins: ['audit'],
    ...(url !== undefined && { store: { url } }),
  }
  const dir = createFolder({ 'mcpgw.yaml': JSON.stringify(config) })
  const tokens = opened(createUserTokens(createStores({ dataDir: join(dir, '.mcpgw'), url })))
  return { dir, authority, tokens }
}

async function fill(tokens: UserTokens): Promise<void> {
  const more = { goodUntil: UNTIL, since: SINCE, scope: 'read write' }
  await tokens.keep('crm', 'acme\0ann\0jwt\0https://login.example', { access: 'ACCESS-OF-ANN-1', refresh: 'REFRESH-OF-ANN-1', ...more })
  await tokens.keep('docs', 'acme\0ann\0jwt\0https://login.example', { access: 'ACCESS-OF-ANN-2', goodUntil: UNTIL })
  await tokens.keep('crm', 'other\0ann\0api-key\0', { access: 'ACCESS-OF-ANOTHER', goodUntil: UNTIL })
  await tokens.keep('crm', 'acme\0bob\0api-key\0', { access: 'ACCESS-OF-BOB', refresh: 'REFRESH-OF-BOB', ...more })
}

const owners = async (tokens: UserTokens): Promise<string[]> =>
  (await tokens.all()).map(({ server: id, owner }) => `${id} ${owner.split('\0').slice(0, 2).join('/')}`).toSorted()

test('the list says whose, for which server, since when, until when and for what, and shows no token', async () => {
  const { dir, tokens } = await createProject()
  expect(await say(dir, ['credentials', 'list'])).toEqual({
    code: 0,
    out: '',
    err: 'There are none: no user has authorised the gateway for a server.\n',
  })
  await fill(tokens)
  const { code, out } = await say(dir, ['credentials', 'list'])
  expect(code).toBe(0)
  expect(out).toBe(
    [
      'SERVER  TENANT  PRINCIPAL  KNOWN BY                   SINCE              GOOD UNTIL                       SCOPES',
      'crm     acme    ann        jwt https://login.example  2026-11-01 09:30Z  2026-11-01 10:30Z, then renewed  read write',
      'crm     acme    bob        api-key                    2026-11-01 09:30Z  2026-11-01 10:30Z, then renewed  read write',
      'crm     other   ann        api-key                    -                  2026-11-01 10:30Z                -',
      'docs    acme    ann        jwt https://login.example  -                  2026-11-01 10:30Z                -\n',
    ].join('\n'),
  )
  const some = JSON.parse((await say(dir, ['credentials', 'list', 'ann', '--tenant', 'acme', '--server', 'crm', '--json'])).out) as object
  expect(some).toEqual({
    credentials: [
      {
        server: 'crm',
        tenant: 'acme',
        principal: 'ann',
        method: 'jwt',
        issuer: 'https://login.example',
        since: '2026-11-01T09:30:00.000Z',
        goodUntil: '2026-11-01T10:30:00.000Z',
        renewable: true,
        scopes: ['read', 'write'],
      },
    ],
  })
  expect(JSON.stringify([out, some])).not.toMatch(/ACCESS|REFRESH/)
})

test('what is revoked is gone here and at the issuer, refresh token first, and is on record; what was not meant stays', async () => {
  const { dir, tokens, authority } = await createProject()
  await fill(tokens)
  const done = await say(dir, ['credentials', 'revoke', 'ann', '--tenant', 'acme'])
  expect(done.code, done.err).toBe(0)
  expect(done.out).toContain('crm     acme    ann        has revoked it')
  expect(await owners(tokens)).toEqual(['crm acme/bob', 'crm other/ann'])
  expect(authority.revoked).toEqual([
    { token: 'REFRESH-OF-ANN-1', hint: 'refresh_token' },
    { token: 'ACCESS-OF-ANN-1', hint: 'access_token' },
    { token: 'ACCESS-OF-ANN-2', hint: 'access_token' },
  ])
  const records = readRecords(dir)
  expect(records.filter(({ type }) => type === 'credential.revoked')).toMatchObject(
    ['crm', 'docs'].map(id => ({
      success: true,
      detail: { server: id, mode: 'user', atIssuer: 'done' },
      about: { detail: { principal: 'ann', tenant: 'acme' } },
    })),
  )
  expect(JSON.stringify([records, done])).not.toMatch(/ACCESS|REFRESH|secret-of-the-client/)
  expect(await say(dir, ['credentials', 'revoke', 'ann', '--tenant', 'acme'])).toMatchObject({ code: 0, out: '' })
  expect(await say(dir, ['credentials', 'revoke', '--server', 'crm', '--json'])).toMatchObject({ code: 0, err: '' })
  expect(await owners(tokens)).toEqual([])
})

test('an issuer that is away, refuses, or stands no longer in the config is told of, and nothing is kept for it', async () => {
  const { dir, tokens, authority } = await createProject()
  await fill(tokens)
  await tokens.keep('former', 'acme\0ann\0api-key\0', { access: 'ACCESS-OF-FORMER', goodUntil: UNTIL })
  authority.interceptRevoke = (_asked, response) =>
    !!response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":"temporarily_unavailable"}')
  const { code, out } = await say(dir, ['credentials', 'revoke', 'ann', '--json'])
  expect(code).toBe(3)
  const { revoked } = JSON.parse(out) as { revoked: { server: string; atIssuer: string; why: string }[] }
  expect(revoked.map(one => `${one.server} ${one.atIssuer}`).toSorted()).toEqual([
    'crm failed',
    'crm failed',
    'docs failed',
    'former failed',
  ])
  expect(revoked.find(one => one.server === 'docs')?.why).toBe(`${authority.url}: it answers HTTP 503 temporarily_unavailable`)
  expect(await owners(tokens)).toEqual(['crm acme/bob'])
  const [record] = readRecords(dir).filter(({ type }) => type === 'credential.revoked')
  expect(record!.detail).toMatchObject({ atIssuer: 'failed', why: expect.any(String) as string })
})

test('an issuer whose metadata name no place for it is not asked, and that is said', async () => {
  const { dir, tokens, authority } = await createProject({ takesBack: false })
  await fill(tokens)
  const { code, out } = await say(dir, ['credentials', 'revoke', 'bob'])
  expect([code, out]).toEqual([0, expect.stringContaining('names no way to revoke it; it is good there until its end')])
  expect([authority.revoked, await owners(tokens)]).toEqual([[], ['crm acme/ann', 'crm other/ann', 'docs acme/ann']])
})

test('a place at an inner address that is not the issuer’s own gets no token', async () => {
  const { dir, tokens, authority } = await createProject()
  const elsewhere = opened(await startFakeAuthority({ clientSecret: 'secret-of-the-client' }))
  authority.metadata = { ...authority.metadata, revocation_endpoint: `${elsewhere.url}/revoke` }
  await fill(tokens)
  const { code } = await say(dir, ['credentials', 'revoke', 'bob'])
  expect([code, elsewhere.revoked, elsewhere.paths]).toEqual([3, [], []])
  expect(await owners(tokens)).not.toContain('crm acme/bob')
})

test('nothing is revoked for nobody in particular', async () => {
  const { dir, tokens } = await createProject()
  await fill(tokens)
  expect(await say(dir, ['credentials', 'revoke'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--server or --tenant') as string,
  })
  expect((await owners(tokens)).length).toBe(4)
})

describe.skipIf(server === undefined)('with a database', () => {
  test('the same is listed, revoked, migrated, exported and erased there', async () => {
    const url = await createDatabase()
    const { dir, tokens, authority } = await createProject({ url })
    const made = await say(dir, ['migrate', 'credentials'])
    expect([made.code, made.out]).toEqual([0, 'credentials: tables brought from version 0 to 2 (schema mcpgw_credentials)\n'])
    await fill(tokens)
    expect((await say(dir, ['credentials', 'list', '--tenant', 'other'])).out).toContain('crm     other   ann')
    expect((await say(dir, ['credentials', 'revoke', 'bob'])).code).toBe(0)
    expect(authority.revoked.map(({ token }) => token)).toEqual(['REFRESH-OF-BOB', 'ACCESS-OF-BOB'])
    const exported = await say(dir, ['privacy', 'export', '--subject', 'ann'])
    expect(exported.code, exported.err).toBe(0)
    expect(exported.out).toContain('"docs"')
    const erased = await say(dir, ['privacy', 'erase', '--subject', 'ann', '--reason', 'request 1', '--yes'])
    expect(erased.code, erased.err).toBe(0)
    expect(await sql('SELECT * FROM mcpgw_credentials.user_token', url)).toEqual([])
  })

  test('a database that is away is said to be, and no token is looked for elsewhere', async () => {
    const { dir } = await createProject({ url: 'postgres://me:geheim@127.0.0.1:1/none' })
    const { code, out, err } = await say(dir, ['credentials', 'list'])
    expect([code, out]).toEqual([3, ''])
    expect(err).toContain('error[credentials]: ')
    expect(err).not.toContain('geheim')
  })
})
