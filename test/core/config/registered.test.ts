// What may be registered: an entry as in the config, which goes nowhere and takes nothing that the config does not allow.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { versionsOf } from '../../../core/config/places.ts'
import { type BuiltServer, buildRegistered } from '../../../core/config/registered.ts'
import type { Misfit } from '../../../core/config/registered-limits.ts'
import type { RegistrationConfig } from '../../../core/config/registration-config.ts'
import { isAt } from '../../../core/config/registration-shape.ts'
import { createWorkspace } from './workspace.ts'

const CRM = 'https://crm.tools.example'
const allowed: RegistrationConfig = {
  commands: false,
  origins: ['http://10.0.0.7:8000', 'https://*.tools.example'],
  secrets: { crm: [CRM], other: ['https://other.example'] },
  variables: { CRM_KEY: [CRM] },
}
const asked: string[] = []
const build = (entry: object, more: Partial<RegistrationConfig> = {}): Promise<BuiltServer | Misfit> =>
  buildRegistered(entry, {
    allowed: { ...allowed, ...more },
    env: { CRM_KEY: 'of-the-variable', HOME: '/root' },
    getSecret: async name => {
      asked.push(name)
      return `value-of-${name}`
    },
    baseDir: '/srv',
  })
const built = async (entry: object, more: Partial<RegistrationConfig> = {}): Promise<BuiltServer> => {
  const result = await build(entry, more)
  if ('message' in result) throw new Error(`${result.field}: ${result.message}`)
  return result
}

describe('an entry', () => {
  it('becomes the server that it would be in the config, with its secrets known as such', async () => {
    const entry = {
      id: 'crm',
      url: `${CRM}/mcp`,
      headers: { Authorization: 'Bearer ${secret:crm}', 'X-Key': '${CRM_KEY}' },
      tags: ['a'],
      tenants: ['acme'],
    }
    const { server, injected } = await built(entry)
    expect(server).toMatchObject({
      id: 'crm',
      kind: 'remote',
      tags: ['a'],
      tenants: ['acme'],
      headers: { Authorization: 'Bearer value-of-crm', 'X-Key': 'of-the-variable' },
    })
    expect(server).not.toHaveProperty('at')
    expect(injected.map(({ value }) => value).toSorted()).toEqual(['of-the-variable', 'value-of-crm'])
    const { accept } = createWorkspace({ 'mcpgw.yaml': JSON.stringify({ servers: [{ ...entry, headers: {} }] }) })
    const { at: _, ...inConfig } = (await accept()).config.servers[0]!
    expect((await built({ ...entry, headers: {} })).server).toEqual(inConfig)
  })

  it('may have versions, each as it would be in the config, and on the public internet unless the config names where it is', async () => {
    const entry = {
      id: 'crm',
      headers: { 'X-Key': '${CRM_KEY}' },
      versions: [
        { version: '1', weight: 3, url: `${CRM}/1` },
        { version: '2', url: `${CRM}/2`, headers: { Authorization: '${secret:crm}' }, pins: { roles: ['beta'] } },
      ],
    }
    const { server, injected } = await built(entry)
    expect(injected.map(({ value }) => value).toSorted()).toEqual(expect.arrayContaining(['of-the-variable', 'value-of-crm']))
    expect(versionsOf(server)).toMatchObject([
      { id: 'crm', version: '1', url: `${CRM}/1`, headers: { 'X-Key': 'of-the-variable' } },
      { version: '2', headers: { 'X-Key': 'of-the-variable', Authorization: 'value-of-crm' } },
    ])
    const plain = { id: 'crm', versions: entry.versions.map(one => ({ ...one, headers: {} })) }
    const { accept } = createWorkspace({ 'mcpgw.yaml': JSON.stringify({ servers: [plain] }) })
    const withoutPlace = (value: unknown) =>
      JSON.parse(JSON.stringify(value, (key, one: unknown) => (key === 'at' ? undefined : one))) as unknown
    expect(withoutPlace((await built(plain)).server)).toEqual(withoutPlace((await accept()).config.servers[0]))
    const mixed = await built({
      id: 'a',
      versions: [
        { version: '1', url: CRM },
        { version: '2', url: 'https://public.example/mcp' },
      ],
    })
    expect(versionsOf(mixed.server).map(one => 'isPublic' in one)).toEqual([false, true])
  })

  it('is on the public internet unless the config names where it is', async () => {
    expect((await built({ id: 'a', url: 'https://public.example/mcp' })).server).toHaveProperty('isPublic', true)
    expect((await built({ id: 'a', url: `${CRM}/mcp` })).server).not.toHaveProperty('isPublic')
    expect((await built({ id: 'a', url: 'http://10.0.0.7:8000/mcp' })).server).not.toHaveProperty('isPublic')
    for (const url of [
      'http://public.example',
      'https://127.0.0.1',
      'https://[::1]:8',
      'https://169.254.169.254/x',
      'https://10.0.0.7:8000',
      'https://2130706433',
    ])
      expect(await build({ id: 'a', url }), url).toMatchObject({ field: 'url' })
    expect(await build({ id: 'a', instances: [`${CRM}/a`, { url: 'http://10.0.0.8/' }] })).toMatchObject({ field: 'instances.1.url' })
  })

  it.each([
    [
      { id: 'a', url: 'https://evil.example', headers: { Authorization: '${secret:crm}' } },
      'headers.Authorization',
      /does not let crm go to https:\/\/evil/,
    ],
    [
      { id: 'a', instances: [CRM, { url: 'https://evil.tools.example' }], headers: { 'X-A': '${secret:crm}' } },
      'headers.X-A',
      /does not let/,
    ],
    [
      { id: 'a', instances: [{ url: 'https://evil.tools.example', headers: { 'X-A': '${CRM_KEY}' } }] },
      'instances.0.headers.X-A',
      /variables/,
    ],
    [{ id: 'a', url: CRM, headers: { Authorization: '${secret:keys.pepper}' } }, 'headers.Authorization', /does not name keys\.pepper/],
    [{ id: 'a', url: CRM, headers: { 'X-A': '${HOME}' } }, 'headers.X-A', /does not name HOME/],
    [{ id: 'a', url: CRM, headers: { 'X-A': '${env:PATH}' } }, 'headers.X-A', /does not name PATH/],
    [{ id: 'a', url: CRM, headers: { 'X-A': '${secret:constructor}' } }, 'headers.X-A', /does not name constructor/],
    [{ id: 'a', url: CRM, headers: { Authorization: 'Bearer abcdef' } }, 'headers.Authorization', /expected a reference/],
    [{ id: 'a', url: `${CRM}/\${CRM_KEY}` }, 'url', /a reference may stand in/],
    [{ id: 'a', url: CRM, description: '${CRM_KEY}' }, 'description', /a reference may stand in/],
    [{ id: 'a', url: CRM, tools: [{ name: 't', description: '${secret:crm}' }] }, 'tools.0.description', /a reference may stand in/],
    [{ id: 'a', url: CRM, openapi: '/etc/passwd' }, 'openapi', /names no files/],
    [{ id: 'a', command: 'sh' }, 'command', /registration\.commands/],
    [{ id: 'a', url: CRM, auth: { exchange: { token: CRM } } }, 'auth.exchange', /of callers/],
    [{ id: 'a', url: CRM, auth: { user: { issuer: CRM } } }, 'auth.user', /of callers/],
    [
      { id: 'a', url: CRM, auth: { oauth: { token: 'https://evil.example/t', clientId: 'x', clientSecret: '${secret:crm}' } } },
      'auth.oauth.clientSecret',
      /evil/,
    ],
    [
      { id: 'a', url: CRM, auth: { oauth: { token: `${CRM}/t`, clientId: 'x', privateKey: '/root/.ssh/id_rsa' } } },
      'auth.oauth.privateKey',
      /a reference/,
    ],
    [
      { id: 'a', url: CRM, auth: { oauth: { token: `${CRM}/t`, clientId: 'x', privateKey: '/etc/${secret:crm}' } } },
      'auth.oauth.privateKey',
      /a reference/,
    ],
    [{ id: 'gateway', url: CRM }, 'id', /not a server id/],
    [{ id: 'a', url: CRM, headres: {} }, 'headres', /unknown key "headres" \(did you mean "headers"\?\)/],
    [{ id: 'a', url: CRM, tags: ['a', 'No'] }, 'tags.1', /not a tag/],
    [{ id: 'a', url: CRM, cwd: '/' }, 'cwd', /no meaning/],
    [{ id: 'a', versions: [{ version: '1', command: 'sh' }] }, 'versions.0.command', /registration\.commands/],
    [{ id: 'a', url: CRM, versions: [{ version: '1' }, { version: '2', openapi: '/etc/passwd' }] }, 'versions.1.openapi', /names no files/],
    [
      {
        id: 'a',
        headers: { 'X-A': '${secret:crm}' },
        versions: [
          { version: '1', url: CRM },
          { version: '2', url: 'https://evil.example' },
        ],
      },
      'headers.X-A',
      /does not let crm go to https:\/\/evil/,
    ],
    [
      {
        id: 'a',
        url: CRM,
        versions: [{ version: '1' }, { version: '2', url: 'https://x.tools.example', headers: { 'X-A': '${CRM_KEY}' } }],
      },
      'versions.1.headers.X-A',
      /does not let CRM_KEY go/,
    ],
    [
      { id: 'a', url: CRM, versions: [{ version: '1', headers: { 'X-Token': 'open' } }] },
      'versions.0.headers.X-Token',
      /expected a reference/,
    ],
    [{ id: 'a', url: CRM, versions: [{ version: '1', url: 'http://127.0.0.1:9' }] }, 'versions.0.url', /expected https/],
    [{ id: 'a', url: CRM, versions: [{ version: '1', pins: { roles: ['${secret:crm}'] } }] }, 'versions.0.pins.roles.0', /a reference may/],
    [{ id: 'a', url: CRM, versions: [{ version: '${CRM_KEY}' }] }, 'versions.0.version', /a reference may/],
    [{ id: 'a', url: CRM, versions: [{ version: '1', weight: '${CRM_KEY}' }] }, 'versions.0.weight', /a reference may/],
    [{ id: 'a', url: CRM, versions: ['${secret:crm}'] }, 'versions.0', /a reference may/],
    [{ id: 'a', url: CRM, versions: '${secret:crm}' }, 'versions', /a reference may/],
    [{ id: 'a', url: CRM, versions: { headers: { 'X-A': '${secret:crm}' } } }, 'versions.headers.X-A', /a reference may/],
    [
      { id: 'a', url: CRM, versions: [{ version: '1', versions: [{ headers: { 'X-A': '${secret:crm}' } }] }] },
      undefined,
      /a reference may/,
    ],
    [{ id: 'a', url: CRM, version: '1', versions: [{ version: '2' }] }, 'version', /or each of its "versions"/],
    [{ id: 'a', url: CRM, versions: [{ version: '1' }, { version: '1' }] }, 'versions.1.version', /stands in line/],
    [{ id: 'a', url: CRM, versions: [{ version: '1', weight: 0 }] }, 'versions.0.weight', /every weight is 0/],
    [
      { id: 'a', url: CRM, tenants: ['a'], versions: [{ version: '1', pins: { tenants: ['b'] } }] },
      'versions.0.pins.tenants.0',
      /none of the tenants/,
    ],
    [{ id: 'a', url: CRM, versions: [{ version: '1', auth: { user: { issuer: CRM } } }] }, 'versions.0.auth.user', /of callers/],
    [{ id: 'a' }, undefined, /missing "command" or "url"/],
    [{ id: 'a', url: CRM, name: 'x'.repeat(70_000) }, undefined, /longer than/],
    [JSON.parse(`{"id":"a","url":"${CRM}","__proto__":{}}`) as object, undefined, /"__proto__" cannot be a key/],
  ])('%j is refused at %s', async (entry, field, message) => {
    asked.length = 0
    const result = await build(entry)
    expect(result).toMatchObject({ message: expect.stringMatching(message) as string })
    if ('message' in result && field !== undefined) expect(result.field).toBe(field)
    expect(asked).toEqual([])
  })

  it('may be a command only where the config says so, with what the config lists in its environment', async () => {
    const commands = { commands: true }
    const { server } = await built({ id: 'a', command: './run', env: { TOKEN: '${secret:crm}' } }, commands)
    expect(server).toMatchObject({ kind: 'child', command: '/srv/run', cwd: '/srv', env: { TOKEN: 'value-of-crm' } })
    expect(await build({ id: 'a', command: 'x', env: { TOKEN: '${secret:pepper}' } }, commands)).toMatchObject({ field: 'env.TOKEN' })
    expect(await build({ id: 'a', command: 'x', args: ['${secret:crm}'] }, commands)).toMatchObject({ field: 'args.0' })
    expect(await build({ id: 'a', command: 'x', env: { API_KEY: 'in-the-open' } }, commands)).toMatchObject({ field: 'env.API_KEY' })
  })

  it('never sends a secret anywhere but where the config lets it go, whatever the entry', async () => {
    const place = fc.constantFrom(
      CRM,
      `${CRM}/x`,
      'https://other.example',
      'https://evil.example',
      'https://crm.tools.example:444',
      'https://crm.tools.example@evil.example',
      'http://crm.tools.example',
    )
    const value = fc.constantFrom(
      '${secret:crm}',
      'Bearer ${secret:other}',
      '${secret:crm}${secret:other}',
      '${CRM_KEY}',
      '$${secret:crm}',
      'plain',
      '${secret:pepper}',
    )
    const headers = fc.dictionary(fc.constantFrom('Authorization', 'X-A', 'X-Token'), value, { maxKeys: 2, noNullPrototype: true })
    const where = {
      url: place,
      instances: fc.array(fc.oneof(place, fc.record({ url: place, headers })), { minLength: 1, maxLength: 3 }),
      headers,
    }
    const plain = fc.record({ id: fc.constant('a'), ...where }, { requiredKeys: ['id'], noNullPrototype: true })
    const version = fc.record(
      { version: fc.constantFrom('1', '2', '3'), url: place, headers },
      { requiredKeys: ['version', 'url'], noNullPrototype: true },
    )
    const versions = fc.uniqueArray(version, { minLength: 1, maxLength: 2, selector: one => one.version })
    const versioned = fc.record({ id: fc.constant('a'), headers, versions }, { requiredKeys: ['id', 'versions'], noNullPrototype: true })
    const entry = fc.oneof(plain, versioned)
    const accepted = new Set<string>()
    await fc.assert(
      fc.asyncProperty(entry, async given => {
        const result = await build(given)
        if ('message' in result) return
        accepted.add(result.server.kind)
        for (const server of versionsOf(result.server)) {
          if (server.kind === 'child') continue
          const urls = [server.url, ...(server.instances ?? []).map(({ url }) => url)]
          const sent = JSON.stringify([server.headers, server.instances])
          for (const [name, places] of [
            ['value-of-crm', [CRM]],
            ['of-the-variable', [CRM]],
            ['value-of-other', ['https://other.example']],
          ] as const)
            if (sent.includes(name)) expect(urls.every(url => isAt(url, places))).toBe(true)
          expect(sent).not.toContain('pepper')
        }
      }),
      { numRuns: 600 },
    )
    expect([...accepted].toSorted()).toEqual(['remote', 'versioned'])
  })
})

describe('an origin', () => {
  it.each([
    ['https://a.example', 'https://a.example/x', true],
    ['https://a.example', 'https://a.example:443/', true],
    ['https://a.example', 'https://a.example:8443/', false],
    ['https://a.example', 'http://a.example/', false],
    ['https://*.a.example', 'https://x.y.a.example/', true],
    ['https://*.a.example', 'https://a.example/', false],
    ['https://*.a.example', 'https://xa.example/', false],
    ['https://*.a.example:8443', 'https://x.a.example:8443/', true],
    ['https://*.a.example:8443', 'https://x.a.example/', false],
  ])('%s: %s is there: %s', (place, url, is) => {
    expect(isAt(url, [place])).toBe(is)
  })

  it.each([
    'https://a.example/',
    'a.example',
    'https://a.example/mcp',
    'https://*',
    'ftp://a.example',
    'https://u@a.example',
    'https://A.example',
    'https://a.*.example',
    '*',
  ])('%s is none', async origin => {
    const { load } = createWorkspace({ 'mcpgw.yaml': JSON.stringify({ registration: { origins: [origin] } }) })
    expect(await load()).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'bad-value', message: expect.stringContaining('not an origin') as string }],
    })
  })
})
