// The older gateway.yaml: its whole example loads, becomes plugins in the safe order, and nothing it asks for is quietly dropped.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codesOf, createWorkspace } from './workspace.ts'

const example = readFileSync(new URL('older-example.yaml', import.meta.url), 'utf8')
const env = { STRIPE_SECRET_KEY: 'sk_live_12345678' }

test('the whole example becomes servers and plugins in the safe order', async () => {
  const { dir, accept } = createWorkspace({ 'gateway.yaml': example })
  const { config, warnings, injected } = await accept({ env })
  expect(warnings).toEqual([])
  expect(config.plugins.map(({ name }) => name)).toEqual(['audit', 'auth', 'ratelimit', 'policy', 'meter'])
  expect(config.plugins.map(one => one.config)).toMatchObject([
    { path: join(dir, 'gateway-audit.db') },
    {
      apiKeys: [
        {
          id: 'key-1',
          key: 'gw_your_key_here',
          name: 'Production Agent',
          consumerId: 'agent-prod',
          roles: ['reader', 'writer'],
          enabled: true,
        },
      ],
    },
    { defaultPerMinute: 60 },
    { policies: [{ id: 'reader-policy' }, { id: 'admin-policy', rules: [{ action: 'allow' }] }] },
    {},
  ])
  expect(config.servers).toMatchObject([
    { id: 'mcp-fred', kind: 'child', command: 'node', args: ['./mcp-fred/dist/index.js'], env: {}, cwd: dir },
    { id: 'mcp-stripe', env: env },
  ])
  expect(injected).toEqual([{ server: 'mcp-stripe', value: env.STRIPE_SECRET_KEY }])
})

test('each section that no loaded plugin enforces is named with its line', async () => {
  const { accept } = createWorkspace({ 'gateway.yaml': example })
  const sections = ({ unenforced }: { unenforced: readonly { section: string; line: number }[] }) =>
    unenforced.map(one => `${one.section}:${one.line}`)
  expect(sections(await accept({ env }))).toEqual([])
  const fewer = await accept({ env, plugins: ['audit'] })
  expect(sections(fewer)).toEqual(['auth:1', 'rateLimit:54', 'policies:26', 'metering:50'])
})

test('what is switched off is not loaded, and the chain cannot be switched off', async () => {
  const { accept } = createWorkspace({
    'gateway.yaml':
      'audit: {enabled: true, hashChain: false}\nmetering: {enabled: false}\nrateLimit: {enabled: false}\nauth: {type: none}\n',
  })
  const loaded = await accept()
  expect(loaded.config.plugins.map(({ name }) => name)).toEqual(['audit'])
  expect(codesOf(loaded)).toEqual(['chain-always-on'])
  expect(loaded.unenforced).toEqual([])
})

test('parts of a section that its plugin does not know are named, not dropped', async () => {
  const { accept } = createWorkspace({
    'gateway.yaml': `
auth: {type: jwt, jwt: {issuer: x}, keys: [{id: k, key: gw_1, consumerId: c, rateLimit: 5, expiresAt: 2027-01-01}]}
audit: {storage: postgres, dsn: "postgres://x", retentionDays: 90, export: {type: s3, destination: b, format: csv}}
servers: [{id: a, command: node, maxMemory: 100, tags: [x]}]
`,
  })
  const { config, unenforced } = await accept()
  expect(config.servers).toMatchObject([{ id: 'a', processes: { memoryBytes: 100 * 1024 ** 2 } }])
  expect(unenforced.map(({ section }) => section)).toEqual([
    'audit.storage: postgres',
    'audit.export',
    'audit.retentionDays',
    'auth.type: jwt',
    'auth.keys[0].rateLimit',
    'auth.keys[0].expiresAt',
  ])
})

test('the limit of a key is enforced together with the others, and not alone', async () => {
  const keys = 'auth: {type: api-key, keys: [{id: k, key: gw_1, consumerId: c, rateLimit: 5}]}\n'
  const enforced = await createWorkspace({ 'gateway.yaml': `${keys}rateLimit: {defaultPerMinute: 60, burstMultiplier: 1.5}\n` }).accept()
  expect(enforced.unenforced).toEqual([])
  expect(enforced.config.plugins.at(-1)).toMatchObject({
    name: 'ratelimit',
    config: { defaultPerMinute: 60, burstMultiplier: 1.5, keys: { k: 5 } },
  })
  const alone = await createWorkspace({ 'gateway.yaml': keys }).accept()
  expect(alone.unenforced.map(({ section }) => section)).toEqual(['auth.keys[0].rateLimit'])
})

test('MCP_GATEWAY_CONFIG names the file, and MCPGW_CONFIG stands above it', async () => {
  const { accept, write } = createWorkspace({ 'mcpgw.yaml': 'names: bare\n' })
  const older = write('elsewhere/gw.yaml', 'port: 4000\naudit: {}\n')
  const newer = write('elsewhere/new.yaml', 'listen: ":5000"\n')
  expect((await accept({ env: { MCP_GATEWAY_CONFIG: older } })).config.listen.port).toBe(4000)
  expect((await accept({ env: { MCP_GATEWAY_CONFIG: older, MCPGW_CONFIG: newer } })).config.listen.port).toBe(5000)
  expect((await accept()).config.names).toBe('bare')
})
