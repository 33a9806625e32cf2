// doctor: each check says ok, warn or fail, what to do, and a failure is exit 1.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { checkClock, checkDataDir, checkNode, checkPort, checkRedis } from '../../../core/commands/doctor/machine.ts'
import { doctor } from '../../../core/commands/doctor.ts'
import { defaults } from '../../../core/config/schema.ts'
import { findProgram } from '../../../core/upstream/child/find-program.ts'
import { startFakeAuthority } from '../credentials/fake-authority.ts'
import { createFolder, say } from './run-command.ts'

const stdioServer = fileURLToPath(new URL('../../fixtures/upstream/stdio-server.mjs', import.meta.url))

/** Just enough of a remote MCP server to be greeted. */
async function listen(): Promise<number> {
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end()
    request.setEncoding('utf8').on('data', text => {
      const { id } = JSON.parse(String(text)) as { id?: number }
      if (id === undefined) return response.writeHead(202).end()
      const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'far', version: '1' } }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
    })
    return undefined
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

test('a config whose servers are there passes', async () => {
  const port = await listen()
  const dir = createFolder({
    'mcpgw.yaml': `listen: 127.0.0.1:0\nservers:\n  - {id: here, command: node, args: ["${stdioServer}"]}\n  - {id: far, url: "http://127.0.0.1:${port}/mcp"}\n  - {id: off, command: absent, enabled: false}\n`,
  })
  const { code, out } = await say(dir, ['doctor', '--json'])
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: { name: string; status: string; message: string }[] }
  expect(checks.filter(({ status }) => status === 'fail')).toEqual([])
  expect({ ok, code }).toEqual({ ok: true, code: 0 })
  const names = checks.map(({ name }) => name)
  expect(names).toEqual([
    'node',
    'clock',
    'sqlite',
    'config',
    'plugins',
    'server here',
    'server far',
    'server off',
    'data directory',
    'disk',
    'port',
  ])
})

test('a secret that a server says in its name or in an error is not shown', async () => {
  const echo = (answer: string): string =>
    `process.stdin.on('data', d => { for (const line of String(d).split('\\n')) { if (line === '') continue; const { id, params } = JSON.parse(line); if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, ${answer} })) } })`
  const named = echo(
    'result: { protocolVersion: params.protocolVersion, capabilities: {}, serverInfo: { name: process.env.TOKEN, version: "1" } }',
  )
  const failing = echo('error: { code: -32000, message: process.env.TOKEN }')
  const server = (id: string, code: string): object => ({ id, command: 'node', args: ['-e', code], env: { TOKEN: '${secret:token}' } })
  const servers = [server('named', named), server('failing', failing)]
  const dir = createFolder({ 'mcpgw.yaml': JSON.stringify({ listen: '127.0.0.1:0', servers }) })
  mkdirSync(join(dir, '.mcpgw/secrets'), { recursive: true, mode: 0o700 })
  writeFileSync(join(dir, '.mcpgw/secrets/token'), 'hunter2-hunter2', { mode: 0o600 })
  const { out } = await say(dir, ['doctor'])
  expect(out).toMatch(/server named: \[SECRET named\] 1 speaks/)
  expect(out).toMatch(/fail {2}server failing: does not start/)
  expect(out).not.toContain('hunter2')
})

test('a command that is not there, a folder that is not there and a URL that is silent fail with what to do', async () => {
  const dir = createFolder({
    'mcpgw.yaml':
      'listen: 127.0.0.1:0\nservers:\n  - {id: a, command: no-such-program}\n  - {id: b, command: node, cwd: nowhere}\n  - {id: c, url: "http://127.0.0.1:1/mcp"}\n',
  })
  const { code, out } = await say(dir, ['doctor'])
  expect(code).toBe(1)
  expect(out).toMatch(/fail {2}server a: the command no-such-program is not found or not executable\n {6}it is looked for in /)
  expect(out).toMatch(/fail {2}server b: its working directory .*nowhere does not exist/)
  expect(out).toMatch(/fail {2}server c: 127\.0\.0\.1:1 does not answer/)
})

test('a broken config and an unenforced section fail', async () => {
  const broken = await say(createFolder({ 'mcpgw.yaml': 'name: x\n' }), ['doctor'])
  expect(broken.code).toBe(1)
  expect(broken.err).toContain('mcpgw.yaml:1:1')
  const unenforced = await say(createFolder({ 'gateway.yaml': 'port: 0\nauth: {type: jwt}\n' }), ['doctor'])
  expect(unenforced.code).toBe(1)
  expect(unenforced.out).toContain('gateway.yaml:2: no loaded plugin enforces auth.type: jwt')
})

test('a probe may stand in for the look at the command', async () => {
  const dir = createFolder({ 'mcpgw.yaml': 'servers: [{id: a, command: absent}]\n' })
  let out = ''
  const io = {
    version: '1.2.3',
    args: [],
    options: {},
    json: true,
    env: {},
    cwd: dir,
    signal: new AbortController().signal,
    color: { out: false, err: false },
    interactive: false,
  }
  const code = await doctor(
    {
      ...io,
      out: text => {
        out += text
      },
      err: () => {},
    },
    async server => ({
      status: 'ok',
      message: `${server.id} probed`,
    }),
  )
  expect(code).toBe(0)
  expect(out).toContain('a probed')
})

test('what only the machine can show is judged from its values', async () => {
  expect(checkNode('18.20.0').status).toBe('fail')
  expect(checkNode('20.18.9').status).toBe('fail')
  expect(checkNode('20.19.0').status).toBe('ok')
  expect(checkNode('24.1.0').status).toBe('ok')
  expect(checkClock(0).status).toBe('fail')
  expect(checkClock(Number.NaN).status).toBe('fail')
  expect((await checkPort({ ...defaults.listen, port: await listen() })).status).toBe('warn')
  expect((await checkPort({ ...defaults.listen, host: '203.0.113.1', port: 0 })).status).toBe('fail')
})

test('a data directory that others can read is a warning, a file in its place a failure', async () => {
  const dir = createFolder({ file: '' })
  mkdirSync(join(dir, 'data'))
  chmodSync(join(dir, 'data'), 0o755)
  expect((await checkDataDir(join(dir, 'data'))).status).toBe('warn')
  chmodSync(join(dir, 'data'), 0o700)
  expect((await checkDataDir(join(dir, 'data'))).status).toBe('ok')
  expect((await checkDataDir(join(dir, 'new', 'deep'))).status).toBe('ok')
  expect((await checkDataDir(join(dir, 'file'))).status).toBe('fail')
})

test('a program is an executable file in an absolute folder of PATH', async () => {
  const dir = createFolder()
  writeFileSync(join(dir, 'plain'), '')
  writeFileSync(join(dir, 'runs'), '', { mode: 0o755 })
  mkdirSync(join(dir, 'folder'))
  expect(await findProgram('runs', `relative:${dir}`, undefined)).toBe(join(dir, 'runs'))
  expect(await findProgram(join(dir, 'runs'), '', undefined)).toBe(join(dir, 'runs'))
  for (const name of ['plain', 'folder', 'absent']) expect(await findProgram(name, dir, undefined)).toBeUndefined()
})

test('a server that starts but does not speak MCP is told apart from one that is not there', async () => {
  const dir = createFolder({
    'mcpgw.yaml': `servers:
  - {id: mute, command: node, args: ["-e", "setInterval(() => {}, 1000)"], timeout: {start: 300ms}}
  - {id: dead, command: node, args: ["-e", "console.error('no licence'); process.exit(3)"]}
  - {id: chatty, command: node, args: ["-e", "console.log('welcome'); import('${stdioServer}')"]}
`,
  })
  const { code, out } = await say(dir, ['doctor', '--json'])
  const { checks } = JSON.parse(out) as { checks: { name: string; status: string; message: string }[] }
  const of = (id: string) => checks.find(({ name }) => name === `server ${id}`)
  expect(of('mute')).toMatchObject({ status: 'fail', message: expect.stringContaining('not ready') })
  expect(of('dead')).toMatchObject({ status: 'fail', message: expect.stringMatching(/exited with code 3.*no licence/s) })
  expect(of('chatty')).toMatchObject({ status: 'warn', message: expect.stringContaining('1 other lines on stdout') })
  expect(code).toBe(1)
})

test('a server for which the gateway gets a token is greeted with one; where it gets none, the reason is shown and no secret', async () => {
  const authority = await startFakeAuthority({ clientSecret: 'the secret of the gateway' })
  onTestFinished(() => authority.close())
  const port = await listen()
  const config = (secret: string): string =>
    `listen: 127.0.0.1:0\nservers:\n  - id: far\n    url: http://127.0.0.1:${port}/mcp\n    auth: {oauth: {token: "${authority.token}", clientId: mcpgw, clientSecret: ${secret}}}\n`
  const good = await say(createFolder({ 'mcpgw.yaml': config('the secret of the gateway') }), ['doctor'])
  expect(good.out).toContain('server far: far 1 speaks MCP 2025-06-18, with a token that is good for 3600 s')
  const bad = await say(createFolder({ 'mcpgw.yaml': config('another secret') }), ['doctor'])
  expect(bad.code).toBe(1)
  expect(bad.out).toContain('HTTP 401 invalid_client')
  expect(bad.out).toContain('check the URL and its auth')
  expect(good.out + good.err + bad.out + bad.err).not.toMatch(/another secret|secret of the gateway|at\./)
})

test('a Redis that is not there is a warning that says which, without its password; one that is not named is none', async () => {
  expect(await checkRedis({ dir: '.' })).toEqual([])
  const [found, ...others] = await checkRedis({ dir: '.', redis: 'redis://:correct-horse@127.0.0.1:1' })
  expect(others).toEqual([])
  expect(found).toMatchObject({ name: 'redis', status: 'warn', message: expect.stringContaining('redis://127.0.0.1:1/0: ') as string })
  expect(JSON.stringify(found)).not.toContain('correct-horse')
})
