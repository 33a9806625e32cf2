// What plugins' commands learn of the servers: every definition as the server gives it, and who may come; nothing is recorded for it.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inspect } from '../../../core/commands/inspect.ts'
import { loadFor } from '../../../core/commands/load-for.ts'
import type { VerbIo } from '../../../core/commands/verb.ts'
import type { InspectOptions } from '../../../core/plugin/index.ts'
import { createStores } from '../../../core/store/index.ts'
import { createFolder, say } from './run-command.ts'

const server = `
import { createInterface } from 'node:readline'
const lists = {
  'tools/list': { tools: [{ name: 'b', inputSchema: { type: 'object', properties: { n: { maximum: 9007199254740993 } } } }, { name: 'a', inputSchema: {} }] },
  'resources/list': { resources: [{ uri: 'file:///x', name: 'x' }] },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'file:///{x}', name: 'x' }] },
  'prompts/list': { prompts: [{ name: 'p' }] },
}
const hello = { protocolVersion: '2025-11-25', capabilities: { tools: {}, resources: {}, prompts: {} }, serverInfo: { name: 's', version: '1' } }
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line)
  if (id === undefined) continue
  const result = method === 'initialize' ? hello : lists[method]
  const answer = result === undefined ? { error: { code: -32601, message: 'no' } } : { result }
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...answer }).replace('9007199254740992', '9007199254740993'))
}
`
const config = (more: object = {}): string =>
  JSON.stringify({
    servers: [
      { id: 'one', command: process.execPath, args: ['server.mjs'] },
      { id: 'gone', command: process.execPath, args: ['-e', 'process.exit(1)'] },
    ],
    plugins: ['audit', { auth: { stdio: { roles: ['local-role'] } } }, 'redact'],
    ...more,
  })

async function inspectIn(cwd: string, options?: InspectOptions): ReturnType<typeof inspect> {
  const io: Omit<VerbIo, 'args'> = {
    options: {},
    json: false,
    version: '1.2.3',
    env: { PATH: process.env.PATH ?? '' },
    cwd,
    signal: new AbortController().signal,
    color: { out: false, err: false },
    interactive: false,
    out() {},
    err() {},
  }
  const loaded = await loadFor(io)
  if (loaded === 2) throw new Error('the config does not load')
  return inspect(io, loaded, options)
}

test('every server is asked for all of its lists; one that does not answer says why', { timeout: 60_000 }, async () => {
  const dir = createFolder({ 'mcpgw.yaml': config(), 'server.mjs': server })
  const found = await inspectIn(dir)
  if ('failed' in found) throw new Error(found.failed)
  const [one, gone] = found.servers
  if (one === undefined || 'failed' in one) throw new Error(one?.failed)
  expect(one.tools.map(({ name }) => name)).toEqual(['b', 'a'])
  expect(one.tools[0]?.definition.text).toContain('9007199254740993')
  expect([one.resources, one.templates, one.prompts].map(([item]) => item?.name)).toEqual(['file:///x', 'file:///{x}', 'p'])
  expect(gone).toEqual({ id: 'gone', failed: expect.stringMatching(/^tools\/list: /) })
})

test('what the plugins carry out and who may come is told, without a record of it', { timeout: 60_000 }, async () => {
  const dir = createFolder({ 'mcpgw.yaml': config(), 'server.mjs': server })
  expect((await say(dir, ['keys', 'create', 'Key', 'agent-1', 'support,lead', '--tenant', 'acme'])).code).toBe(0)
  const count = (): unknown => {
    const db = createStores({ dataDir: join(dir, '.mcpgw') }).open('audit.db', { readOnly: true })
    const row = db.prepare('SELECT count(*) AS records FROM record').get()
    db.close()
    return row?.records
  }
  const before = count()
  const found = await inspectIn(dir, { only: ['one'] })
  if ('failed' in found) throw new Error(found.failed)
  expect(found.servers.map(({ id }) => id)).toEqual(['one'])
  expect(found.dischargers).toContain('redact')
  expect(found.roles).toEqual(['lead', 'local-role', 'support'])
  expect(found.tenants).toEqual(['acme', 'default'])
  expect(count()).toBe(before)
})

test('without a plugin that knows who may come, nothing is claimed', async () => {
  const found = await inspectIn(createFolder({ 'mcpgw.yaml': config({ servers: [], plugins: ['redact'] }) }))
  expect(found).toEqual({ servers: [], dischargers: ['redact'], roles: [], tenants: [] })
})

test('plugins that cannot be loaded are told', async () => {
  const found = await inspectIn(createFolder({ 'mcpgw.yaml': config({ servers: [], plugins: ['redact', 'audit'] }) }))
  expect(found).toEqual({ failed: expect.stringMatching(/plugin-order/) })
})
