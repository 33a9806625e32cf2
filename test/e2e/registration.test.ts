// Servers that operators register while the built product runs: on every gateway of one database, under policy and tenants like any other, and nothing of the config's.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type HttpUpstream, startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { leaveOpen } from '../core/data-plane/script.ts'
import { createDatabase, server as database } from '../postgres/server.ts'
import { createFolder, isBuilt, type Product, readHealth, runCli, startProduct, untilHealth } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, openSession } from './rpc.ts'
import { oddServer } from './servers.ts'

const POLICY = `policy "all" edition 1 owner "people@example.com"

allow administration {
  who     role admin
  call    gateway/*
}

allow work {
  who     role agent
  call    */* except */forbidden
}
`
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any
const named = (name: string): string => JSON.stringify({ name, inputSchema: { type: 'object' } })

async function upstream(...tools: string[]): Promise<HttpUpstream> {
  const up = await startHttpUpstream({
    tools: [...tools, 'hang'].map(named),
    on: {
      'tools/call': received =>
        (received.message as Any).params.name === 'hang' ? leaveOpen(received) : received.result('{"content":[]}'),
    },
  })
  onTestFinished(() => up.close())
  return up
}

const keyFor = (dir: string, id: string, roles: string, tenant: string): string =>
  (JSON.parse(runCli(['keys', 'create', id, id, roles, '--tenant', tenant, '--json'], dir).out) as { key: string }).key

async function ask({ origin }: Product, key: string, method: string, path: string, body?: object): Promise<{ status: number; body: Any }> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' }
  const answer = await fetch(`${origin}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  return { status: answer.status, body: await answer.json() }
}
const toolsOf = async (product: Product, key: string): Promise<string[]> =>
  ((await ask(product, key, 'GET', '/tools')).body.tools as { name: string }[])
    .map(({ name }) => name)
    .filter(name => !name.startsWith('gateway__'))
const untilTools = (product: Product, key: string, names: readonly string[]): Promise<void> =>
  expect.poll(async () => (await toolsOf(product, key)).toSorted(), { timeout: 15_000 }).toEqual(names.toSorted())

interface World {
  readonly dir: string
  readonly config: object
  readonly ops: string
  readonly acme: string
  readonly globex: string
}
function prepare(registration: object | undefined, more: object = {}): World {
  const dir = createFolder({ 'main.policy': POLICY })
  const config = {
    servers: [{ id: 'odd', ...oddServer() }],
    policies: [join(dir, 'main.policy')],
    gateway: { tools: ['*'], operators: ['platform'] },
    plugins: [
      { audit: { durability: 'os' } },
      { auth: { keys: { path: join(dir, '.mcpgw/keys.db'), pepper: join(dir, '.mcpgw/keys.pepper') } } },
      'policy',
    ],
    ...(registration && { registration }),
    ...more,
  }
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
  const keys = {
    ops: keyFor(dir, 'opal', 'admin', 'platform'),
    acme: keyFor(dir, 'ann', 'agent,admin', 'acme'),
    globex: keyFor(dir, 'eve', 'agent', 'globex'),
  }
  return { dir, config, ...keys }
}

describe.skipIf(!isBuilt)('servers that are registered', () => {
  test.skipIf(database === undefined)(
    'on one gateway are there on the other, for their tenants and as policy says, through a restart; removed, nothing new goes there, and what is under way is answered',
    async () => {
      const crm = await upstream('read', 'forbidden')
      const { dir, config, ops, acme, globex } = prepare(
        { origins: [new URL(crm.url).origin], secrets: { crm: [new URL(crm.url).origin] } },
        { store: { url: await createDatabase() }, secrets: { command: ['echo', 'of-the-machine'] } },
      )
      const [one, two] = await Promise.all([startProduct({ dir, config }), startProduct({ dir: createFolder(), config })])
      const odd = (await toolsOf(two!, globex)).toSorted()
      const entry = {
        id: 'crm',
        url: crm.url,
        tenants: ['acme'],
        tags: ['crm'],
        owner: 'team-crm',
        headers: { 'X-Token': '${secret:crm}' },
      }
      expect(await ask(one!, ops, 'POST', '/servers', entry)).toEqual({ status: 200, body: { server: 'crm' } })
      expect(await toolsOf(one!, acme)).toContain('crm__read')
      await untilTools(two!, acme, [...odd, 'crm__read', 'crm__hang'])
      expect((await toolsOf(two!, globex)).toSorted()).toEqual(odd)
      const [forAcme, forGlobex] = [
        await openSession(two!.origin, ['X-API-Key', acme]),
        await openSession(two!.origin, ['X-API-Key', globex]),
      ]
      expect((await forAcme.call('crm__read')).result).toEqual({ content: [] })
      expect(codeOf(await forAcme.call('crm__forbidden'))).toBe('unknown-tool')
      expect(JSON.stringify(crm.of('tools/call').map(({ message }) => message))).not.toContain('forbidden')
      expect(codeOf(await forGlobex.call('crm__read'))).toBe('unknown-tool')
      expect(crm.requests.every(({ headers }) => headers['x-token'] === 'of-the-machine crm')).toBe(true)

      const shown = (await ask(two!, ops, 'GET', '/servers?tag=crm')).body.servers
      expect(shown).toMatchObject([{ server: 'crm', owner: 'team-crm', registered: { by: 'opal', entry } }])
      expect(JSON.stringify(shown)).not.toContain('of-the-machine')
      const ofAcme = (await ask(two!, acme, 'GET', '/servers?tag=crm')).body.servers
      expect(ofAcme).toMatchObject([{ server: 'crm', tags: ['crm'] }])
      expect(ofAcme[0]).not.toHaveProperty('registered')
      expect((await ask(two!, globex, 'GET', '/servers')).body.servers ?? []).not.toContainEqual(expect.objectContaining({ server: 'crm' }))

      const { id: _, ...rest } = entry
      expect(await ask(two!, ops, 'PUT', '/servers/crm', { ...rest, tags: ['customers'] })).toMatchObject({ status: 200 })
      await expect
        .poll(async () => (await ask(one!, ops, 'GET', '/servers?tag=customers')).body.servers.length, { timeout: 15_000 })
        .toBe(1)
      expect(await ask(one!, ops, 'PUT', '/servers/crm', { ...rest, url: 'https://evil.example', tags: ['x'] })).toMatchObject({
        status: 400,
        body: { error: { code: 'invalid-arguments', field: 'headers.X-Token' } },
      })

      expect(await two!.stop()).toEqual({ code: 0, signal: null })
      const again = await startProduct({ dir: createFolder(), config })
      await untilTools(again, acme, [...odd, 'crm__read', 'crm__hang'])
      const late = await openSession(again.origin, ['X-API-Key', acme])
      const hanging = late.call('crm__hang')
      let received = await crm.next('tools/call')
      while ((received.message as Any).params.name !== 'hang') received = await crm.next('tools/call')
      expect(await ask(one!, ops, 'DELETE', '/servers/crm')).toMatchObject({ status: 200 })
      await untilTools(again, acme, odd)
      expect(codeOf(await late.call('crm__read'))).toBe('unknown-tool')
      received.result('{"content":[{"type":"text","text":"in peace"}]}')
      expect((await hanging).result.content[0].text).toBe('in peace')
      expect((await readHealth(one!.origin)).components.find(({ name }) => name === 'registration')).toMatchObject({ status: 'ok' })
    },
    120_000,
  )

  test('have versions as those of the config have: each caller his own, by pins, and the way back by the kill switch', async () => {
    const [one, two] = [await upstream('one'), await upstream('two')]
    const { dir, config, ops, acme, globex } = prepare({ origins: [one, two].map(({ url }) => new URL(url).origin) })
    const product = await startProduct({ dir, config })
    const versions = [
      { version: '1.0', url: one.url },
      { version: '2.0', weight: 0, url: two.url, pins: { tenants: ['globex'] } },
    ]
    const bad = { id: 'crm', versions: [...versions, { version: '3.0', url: 'http://10.1.2.3' }] }
    expect(await ask(product, ops, 'POST', '/servers', bad)).toMatchObject({ status: 400, body: { error: { field: 'versions.2.url' } } })
    expect(await ask(product, ops, 'POST', '/servers', { id: 'crm', versions })).toMatchObject({ status: 200 })
    const crmOf = async (key: string): Promise<string[]> => (await toolsOf(product, key)).filter(name => name.startsWith('crm__'))
    expect([await crmOf(acme), await crmOf(globex)]).toEqual([
      ['crm__one', 'crm__hang'],
      ['crm__two', 'crm__hang'],
    ])
    expect((await (await openSession(product.origin, ['X-API-Key', globex])).call('crm__two')).result).toEqual({ content: [] })
    expect(runCli(['kill', '--server', 'crm', '--version', '2.0'], dir)).toMatchObject({ code: 0 })
    await expect.poll(() => crmOf(globex), { timeout: 15_000 }).toEqual(['crm__one', 'crm__hang'])
    await product.stop()
    const records = readRecords(dir)
    expect(records.filter(({ type }) => type === 'server.register')).toMatchObject([
      { detail: { server: 'crm', kind: 'versioned', versions: ['1.0', '2.0'] } },
    ])
    expect(records.find(({ type, tool }) => type === 'outcome' && tool === 'two')).toMatchObject({ server: 'crm', version: '2.0' })
  }, 60_000)

  test('are for operators alone, each on record; what is wrong, or the config’s, changes nothing; a config that would take their id is not taken, any other keeps them', async () => {
    const up = await upstream('read')
    const { dir, config, ops, acme } = prepare({ origins: [new URL(up.url).origin] })
    const product = await startProduct({ dir, config })
    const entry = { id: 'new', url: up.url }
    const refused = await ask(product, acme, 'POST', '/servers', entry)
    expect([refused.status, refused.body.error.code]).toEqual([404, 'unknown-tool'])
    for (const [body, status, field] of [
      [{ id: 'new', command: 'sh', args: ['-c', 'true'] }, 400, 'command'],
      [{ id: 'new', url: 'http://169.254.169.254/latest' }, 400, 'url'],
      [{ id: 'new', url: up.url, headers: { 'X-A': '${HOME}' } }, 400, 'headers.X-A'],
      [{ id: 'odd', url: up.url }, 409, 'id'],
      [{ id: 'ODD', url: up.url }, 409, 'id'],
    ] as const)
      expect(await ask(product, ops, 'POST', '/servers', body)).toMatchObject({ status, body: { error: { field } } })
    // The policy checks arguments against the schema of the tool.
    expect((await ask(product, ops, 'POST', '/servers', { ...entry, tags: 'x' })).body.error.message).toContain('`/tags` must be array')
    for (const [method, body] of [
      ['PUT', { url: up.url }],
      ['DELETE', undefined],
    ] as const) {
      expect((await ask(product, ops, method, '/servers/odd', body)).status).toBe(409)
      expect((await ask(product, ops, method, '/servers/nobody', body)).status).toBe(404)
    }
    expect((await ask(product, ops, 'GET', '/servers')).body.servers.map(({ server }: Any) => server)).toEqual(['odd'])

    expect((await ask(product, ops, 'POST', '/servers', entry)).status).toBe(200)
    expect((await ask(product, ops, 'POST', '/servers', entry)).status).toBe(409)
    expect(await toolsOf(product, acme)).toContain('new__read')
    const write = (next: object): void => {
      writeFileSync(join(dir, 'next'), JSON.stringify(next, null, 2))
      renameSync(join(dir, 'next'), join(dir, 'mcpgw.yaml'))
    }
    write({ ...config, servers: [{ id: 'New', ...oddServer() }] })
    await product.hears('error[server-registered]: a server "new" was registered by opal')
    expect(product.said()).toContain('mcpgw servers remove new')
    write({ ...config, servers: [{ id: 'other', ...oddServer() }] })
    await untilHealth(product.origin, ({ servers }) => servers.some(({ server }) => server === 'other'))
    expect((await readHealth(product.origin)).servers.map(({ server }) => server).toSorted()).toEqual(['gateway', 'new', 'other'])
    expect(await toolsOf(product, acme)).toContain('new__read')
    await product.stop()
    const events = readRecords(dir).filter(({ type }) => type.startsWith('server.re'))
    expect(events).toMatchObject([
      { type: 'server.register', actor: { id: 'opal' }, detail: { server: 'new', origins: [new URL(up.url).origin] } },
    ])
    writeFileSync(join(dir, '.mcpgw/servers.db'), 'no database '.repeat(500))
    expect(runCli(['run', '--http', '127.0.0.1:0'], dir)).toMatchObject({
      code: 2,
      err: expect.stringContaining('error[registration-store]') as string,
    })
  }, 120_000)

  test('are none where the config does not allow it', async () => {
    const { dir, config, ops } = prepare(undefined)
    const product = await startProduct({ dir, config })
    const refused = await ask(product, ops, 'POST', '/servers', { id: 'new', url: 'https://public.example' })
    expect([refused.status, refused.body.error.code]).toEqual([405, 'method-not-allowed'])
    expect(JSON.stringify((await ask(product, ops, 'GET', '/tools')).body)).not.toContain('servers_register')
  }, 60_000)
})
