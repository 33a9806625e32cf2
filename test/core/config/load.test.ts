// Where values come from and which wins; what of the file is made absolute; which values are secrets; what the files may be.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listShown } from '../../../core/config/show.ts'
import { codesOf, createWorkspace } from './workspace.ts'

test('no file at all is the defaults', async () => {
  const { accept, dir } = createWorkspace()
  const { config, file } = await accept()
  expect(file).toBeUndefined()
  expect(config).toEqual({
    listen: {
      host: '127.0.0.1',
      port: 3100,
      hosts: [],
      origins: [],
      trustedProxies: [],
      proxyProtocol: false,
      connections: { total: 10_000, perAddress: 1000 },
    },
    servers: [],
    plugins: [],
    policies: [],
    store: { dir: join(dir, '.mcpgw') },
    secrets: {},
    limits: {
      messageBytes: 16 * 1024 * 1024,
      depth: 64,
      keys: 200_000,
      hookMs: 5_000,
      overload: { lagMs: 500, heap: 0.9, pending: 10_000 },
    },
    names: 'qualified',
    refusals: 'result',
    log: 'info',
    metrics: {},
  })
})

test('flags stand over environment over file over defaults, and each value tells its origin', async () => {
  const { accept, dir } = createWorkspace({ 'mcpgw.yaml': 'listen: {port: 1, origins: [https://a]}\nlog: debug\nstore: {dir: data}\n' })
  const loaded = await accept({
    env: { MCPGW_LISTEN: ':2', MCPGW_LOG: 'warn', MCPGW_DATA_DIR: '' },
    flags: { listen: '[::1]:3' },
  })
  expect(loaded.config).toMatchObject({
    listen: { host: '::1', port: 3, origins: ['https://a'] },
    log: 'warn',
    store: { dir: join(dir, 'data') },
  })
  const origin = Object.fromEntries(listShown(loaded).map(one => [one.path, one.origin]))
  expect(origin).toMatchObject({
    'listen.host': '--http',
    'listen.port': '--http',
    'listen.origins.0': 'mcpgw.yaml:1:29',
    'listen.hosts': 'default',
    log: 'MCPGW_LOG',
    'store.dir': 'mcpgw.yaml:3:14',
    names: 'default',
  })
})

test('a flag or variable that is wrong is named', async () => {
  const { load } = createWorkspace()
  const result = await load({ env: { MCPGW_LOG: 'loud' }, flags: { listen: 'host:port' } })
  expect(!result.ok && result.diagnostics.map(({ file }) => file)).toEqual(['MCPGW_LOG', '--http'])
})

test('--plugin replaces the list in its order and keeps what the file says of the same plugin', async () => {
  const { accept, dir } = createWorkspace({ 'mcpgw.yaml': 'plugins:\n  - audit: {durability: os}\n  - auth\n  - ./mine.mjs: {a: 1}\n' })
  const { config } = await accept({ plugins: ['redact', './mine.mjs', 'audit'] })
  expect(config.plugins.map(({ name, config }) => [name, config])).toEqual([
    ['redact', {}],
    [join(dir, 'mine.mjs'), { a: 1 }],
    ['audit', { durability: 'os' }],
  ])
})

test('paths of the file start from its folder, wherever the command runs', async () => {
  const { accept, dir } = createWorkspace({
    'conf/mcpgw.yaml':
      'servers: [{id: a, command: ./bin/a, cwd: work}, {id: b, command: npx}]\npolicies: [main.policy]\nstore: {dir: ../data}\nsecrets: {command: [./get, -x]}\n',
  })
  const { config } = await accept({ file: 'conf/mcpgw.yaml' })
  expect(config).toMatchObject({
    servers: [
      { command: join(dir, 'conf/bin/a'), cwd: join(dir, 'conf/work') },
      { command: 'npx', cwd: join(dir, 'conf') },
    ],
    policies: [join(dir, 'conf/main.policy')],
    store: { dir: join(dir, 'data') },
    secrets: { command: [join(dir, 'conf/get'), '-x'] },
  })
})

test('each server has its own time limits and bounds; what is not said is the default', async () => {
  const { accept } = createWorkspace({
    'mcpgw.yaml':
      'servers: [{id: a, command: a, timeout: {max: 2h}, limits: {concurrency: 3}}, {id: b, url: "http://b", timeout: 5s, limits: {queue: 0}}]\n',
  })
  const { config } = await accept()
  expect(config.servers).toMatchObject([
    { timeout: { startMs: 30_000, callMs: 60_000, maxMs: 7_200_000, idleMs: 600_000 }, limits: { concurrency: 3, queue: 1024 } },
    { timeout: { startMs: 30_000, callMs: 5_000, maxMs: 3_600_000, idleMs: 600_000 }, limits: { concurrency: 256, queue: 0 } },
  ])
})

describe('secrets', () => {
  const text = `
store: {dir: "\${env:DATA}"}
servers:
  - id: a
    command: node
    args: ["--as", "\${USER_NAME}", "\${API_TOKEN}"]
    env: {ONE: "\${secret:one}", TWO: "x-\${TWO}", SHORT: "\${SHORT}", PASSWORD: literal-password, HOME_DIR: /home/me}
  - id: b
    url: https://example.com/mcp?key=abc
    headers: {Authorization: "Bearer \${secret:one}"}
plugins: [{auth: {keys: ["\${secret:two}"], apiKey: literal}}]
`
  const env = { DATA: 'data', TWO: 'value-two', SHORT: 'short', USER_NAME: 'somebody-else', API_TOKEN: 'token-in-args' }
  const asked: string[] = []
  const getSecret = async (name: string, from: { dir: string }) => {
    asked.push(`${name} ${from.dir}`)
    return { one: 'secret-value-one', two: 'secret-value-two' }[name]
  }

  test('each server reports exactly the values that came into it', async () => {
    const { accept, dir } = createWorkspace({ 'mcpgw.yaml': text })
    const { injected } = await accept({ env, getSecret })
    expect(injected).toEqual([
      { server: 'a', value: 'token-in-args' },
      { server: 'a', value: 'secret-value-one' },
      { server: 'a', value: 'value-two' },
      { server: 'a', value: 'literal-password' },
      { server: 'b', value: 'secret-value-one' },
      { server: 'auth', value: 'secret-value-two' },
    ])
    expect(asked).toContain(`one ${join(dir, 'data', 'secrets')}`)
  })

  test('are never shown', async () => {
    const { accept } = createWorkspace({ 'mcpgw.yaml': text })
    const shown = listShown(await accept({ env, getSecret }))
    expect(JSON.stringify(shown)).not.toMatch(/secret-value|value-two|literal|home\/me|token-in-args|=abc/)
    const values = Object.fromEntries(shown.map(({ path, value }) => [path, value]))
    expect(values).toMatchObject({
      'servers.0.env.ONE': '${secret:one}',
      'servers.0.env.TWO': 'x-${TWO}',
      'servers.0.env.PASSWORD': '[hidden]',
      'servers.1.url': 'https://example.com/mcp?key=[hidden]',
      'servers.1.headers.Authorization': 'Bearer ${secret:one}',
      'plugins.0.config.keys.0': '${secret:two}',
      'plugins.0.config.apiKey': '[hidden]',
    })
  })

  test('a value that looks like a reference stays as it is', async () => {
    const { accept } = createWorkspace({ 'mcpgw.yaml': 'servers: [{id: a, command: x, args: ["${A}", "$${B}", "$5", "${env:A}$"]}]' })
    const { config } = await accept({ env: { A: '${B} ${secret:x}', B: 'no' } })
    expect(config.servers[0]).toMatchObject({ args: ['${B} ${secret:x}', '${B}', '$5', '${B} ${secret:x}$'] })
  })

  test('those by which a token is got are known, never shown, and the path of a key starts from the folder of the file', async () => {
    const { accept, write, dir } = createWorkspace({
      'conf/mcpgw.yaml': `servers:
  - {id: a, url: "https://a.example/mcp", auth: {oauth: {issuer: "https://idp.example", clientId: me, clientSecret: "\${secret:one}"}}}
  - {id: b, url: "https://b.example/mcp", auth: {oauth: {token: "https://idp.example/t", clientId: me, privateKey: ./b.pem}}}
  - {id: c, url: "https://c.example/mcp", auth: {oauth: {token: "https://idp.example/t", clientId: me, privateKey: "\${secret:pem}"}}}
  - {id: d, url: "https://d.example/mcp", auth: {oauth: {token: "https://idp.example/t", clientId: me, clientSecret: literally}}}
`,
    })
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    chmodSync(write('conf/b.pem', pem), 0o600)
    const loaded = await accept({ file: 'conf/mcpgw.yaml', getSecret: async name => (name === 'pem' ? pem : getSecret(name, { dir: '' })) })
    expect(loaded.config.servers[1]).toMatchObject({ auth: { oauth: { privateKey: join(dir, 'conf/b.pem') } } })
    expect(loaded.injected).toEqual([
      { server: 'a', value: 'secret-value-one' },
      { server: 'c', value: pem },
      { server: 'd', value: 'literally' },
    ])
    const shown = JSON.stringify(listShown(loaded))
    expect(shown).not.toMatch(/secret-value|BEGIN|literally/)
    expect(shown).toContain('b.pem')
  })

  test('a key file that others may read is refused', async () => {
    const { load, write } = createWorkspace({
      'mcpgw.yaml':
        'servers: [{id: b, url: "https://b.example/mcp", auth: {oauth: {token: "https://idp.example/t", clientId: me, privateKey: ./b.pem}}}]\n',
    })
    chmodSync(write('b.pem', 'x'), 0o644)
    const result = await load()
    expect(!result.ok && result.diagnostics.map(({ message }) => message)).toEqual(['others may read or change the key file'])
    chmodSync(write('b.pem', 'x'), 0o600)
    const unread = await load()
    expect(!unread.ok && unread.diagnostics.map(({ message }) => message)).toEqual(['not the PEM of a private key'])
  })

  test('names of the prototype are no variables', async () => {
    const { load } = createWorkspace({ 'mcpgw.yaml': 'servers: [{id: a, command: x, args: ["${constructor}", "${__proto__}"]}]' })
    expect(codesOf(await load())).toEqual(['unset-variable', 'unset-variable'])
  })
})

describe('a file is refused', () => {
  test.each([
    [0o666, 'every user of this machine'],
    [0o646, 'every user of this machine'],
  ])('where others may write to it (mode %o)', async (mode, who) => {
    const { load, write } = createWorkspace()
    chmodSync(write('mcpgw.yaml', 'names: bare\n'), mode)
    expect(await load()).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'config-world-writable', message: `${who} can change the config`, help: 'chmod go-w mcpgw.yaml' }],
    })
  })

  test('where it is a folder, a pipe, absent, too large or not UTF-8', async () => {
    const { load, dir, write } = createWorkspace({ 'large.yaml': `# ${'x'.repeat(1024 * 1024)}` })
    execFileSync('mkfifo', [join(dir, 'pipe.yaml')])
    writeFileSync(join(dir, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]))
    write('folder/x', '')
    expect(codesOf(await load({ file: 'folder' }))).toEqual(['config-not-a-file'])
    expect(codesOf(await load({ file: 'pipe.yaml' }))).toEqual(['config-not-a-file'])
    expect(codesOf(await load({ file: 'absent.yaml' }))).toEqual(['config-not-found'])
    expect(codesOf(await load({ mcpJson: 'absent.json' }))).toEqual(['config-not-found'])
    expect(codesOf(await load({ file: 'large.yaml' }))).toEqual(['config-too-large'])
    expect(codesOf(await load({ file: 'latin.yaml' }))).toEqual(['config-syntax'])
  })

  test('a link that leads nowhere is not taken for no config', async () => {
    const { load, dir } = createWorkspace()
    symlinkSync(join(dir, 'gone'), join(dir, 'mcpgw.yaml'))
    expect(codesOf(await load())).toEqual(['config-not-found'])
  })

  test('a link is judged by the file it leads to', async () => {
    const { load, dir, write } = createWorkspace()
    chmodSync(write('real.yaml', 'names: bare\n'), 0o666)
    symlinkSync(join(dir, 'real.yaml'), join(dir, 'mcpgw.yaml'))
    expect(codesOf(await load())).toEqual(['config-world-writable'])
  })
})
