// `mcpgw run` as an operator meets it: what it says when it starts, and what it must not swallow when it does not.
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { runCommand } from '../../../core/commands/main.ts'
import { readRecords } from '../../e2e/records.ts'
import { createAuthority } from '../downstream/certificates.ts'
import { createFolder, say } from './run-command.ts'

const CONFIG = 'plugins: [{ audit: { path: records.db } }, auth]\nservers: []\nlog: silent\n'

test('where the start fails no key is made; the next one that holds makes the first', async () => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = taken.address() as { port: number }
    const dir = createFolder({ 'mcpgw.yaml': CONFIG })
    const { code, err } = await say(dir, ['run', '--http', `127.0.0.1:${port}`])
    expect(code).toBe(2)
    expect(err).toMatch(/error\[listen-failed\].*the port is in use\n\s*--> --http\n/)
    expect(err).not.toMatch(/shown once|mgk_/)
    expect((await say(dir, ['keys', 'list'])).err).toContain('There are no keys')
    const said = await endAtOnce(dir, ['run', '--http', '127.0.0.1:0'])
    expect(said.err).toMatch(/\nkey {7}\S{20,} {3}\(shown once\)\n/)
  } finally {
    taken.close()
  }
})

test('run --json says on stdout what a person reads on stderr: where it listens, the first key, where the record is', async () => {
  let out = ''
  const dir = createFolder({ 'mcpgw.yaml': CONFIG })
  const code = await runCommand(['run', '--json', '--http', '127.0.0.1:0'], {
    version: '1.2.3',
    env: {},
    cwd: dir,
    // It starts, and then finds that it was told to stop.
    signal: AbortSignal.abort('SIGTERM'),
    color: { out: false, err: false },
    interactive: false,
    out: text => {
      out += text
    },
    err() {},
  })
  expect(code).toBe(0)
  const said = JSON.parse(out)
  expect(said).toMatchObject({ endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/mcp$/), open: true })
  expect(said.audit).toMatch(/records\.db$/)
  expect(said.client.mcpServers.mcpgw.headers.Authorization).toBe(`Bearer ${said.key}`)
})

test('beyond loopback without a plugin that authenticates and one that decides it does not start, and the config cannot say otherwise', async () => {
  const config = 'listen: 0.0.0.0:0\nplugins: [auth]\nservers: []\n'
  const { code, err } = await say(createFolder({ 'mcpgw.yaml': config }), ['run'])
  expect(code).toBe(2)
  expect(err).toMatch(
    /error\[listen-open\]: "0\.0\.0\.0" is not a loopback address, and no loaded plugin decides\n\s*--> mcpgw\.yaml:1:9\n/,
  )
  for (const key of ['insecureAllowAnonymous', 'insecure-allow-anonymous', 'insecure']) {
    const refused = await say(createFolder({ 'mcpgw.yaml': `${config}${key}: true\n` }), ['run'], { MCPGW_INSECURE_ALLOW_ANONYMOUS: '1' })
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('error[unknown-key]') })
  }
})

test('without a config it serves this machine only, and nothing makes a key meanwhile', async () => {
  const dir = createFolder()
  const { code, err } = await say(dir, ['run', '--http', '0.0.0.0:0', '--log', 'silent'])
  expect(code).toBe(2)
  expect(err).toMatch(/error\[listen-open\]: "0\.0\.0\.0" is not a loopback address, and there is no config/)
  expect(err).not.toContain('shown once')
})

test.each([
  ['the flag', ['--observe'], 'policy'],
  ['the config', [], '{ policy: { mode: observe } }'],
])('where %s has policies only observed, it serves this machine only', async (_what, flags, policy) => {
  const config = `listen: 0.0.0.0:0\nplugins: [auth, ${policy}]\nservers: []\nlog: silent\n`
  const { code, err } = await say(createFolder({ 'mcpgw.yaml': config }), ['run', ...flags])
  expect(code).toBe(2)
  expect(err).toMatch(/error\[listen-open\]: "0\.0\.0\.0" is not a loopback address, and policies are only observed: nothing is denied/)
})

test('without a config it says where the record and the policy are; with --observe, that nothing is denied', async () => {
  const quiet = ['run', '--json', '--log', 'silent', '--http', '127.0.0.1:0']
  const said = await endAtOnce(createFolder(), quiet)
  const { audit, policies, open } = JSON.parse(said.out)
  expect(open).toBe(false)
  expect(audit).toMatch(/\.mcpgw\/audit\.db$/)
  expect(policies).toEqual([expect.stringMatching(/starter\.policy$/)])
  expect(said.err).not.toContain('OBSERVE')
  expect((await endAtOnce(createFolder(), [...quiet, '--observe'])).err).toMatch(/^OBSERVE {2}policies deny nothing/m)
})

async function endAtOnce(cwd: string, words: readonly string[]): Promise<{ out: string; err: string }> {
  const said = { out: '', err: '' }
  await runCommand(words, {
    version: '1.2.3',
    env: { PATH: process.env.PATH ?? '' },
    cwd,
    signal: AbortSignal.abort('SIGTERM'),
    color: { out: false, err: false },
    interactive: false,
    out: text => {
      said.out += text
    },
    err: text => {
      said.err += text
    },
  })
  return said
}

test('--insecure-allow-anonymous starts it all the same, and banner, log and record say so', async () => {
  const dir = createFolder({ 'mcpgw.yaml': 'listen: 0.0.0.0:0\nplugins: [audit]\nservers: []\n' })
  const lines: string[] = []
  const write = process.stderr.write
  process.stderr.write = (text: string | Uint8Array): boolean => lines.push(String(text)) > 0
  let said = ''
  let code: number
  try {
    code = await runCommand(['run', '--insecure-allow-anonymous'], {
      version: '1.2.3',
      env: {},
      cwd: dir,
      signal: AbortSignal.abort('SIGTERM'),
      color: { out: false, err: false },
      interactive: false,
      out() {},
      err: text => {
        said += text
      },
    })
  } finally {
    process.stderr.write = write
  }
  expect(code).toBe(0)
  const why = '"0.0.0.0" is not a loopback address, and no loaded plugin authenticates or decides: allowed by --insecure-allow-anonymous'
  expect(said).toContain(`INSECURE  ${why}\n`)
  expect(lines.map(line => JSON.parse(line))).toContainEqual(expect.objectContaining({ level: 'warn', msg: 'insecure', detail: why }))
  const [load] = readRecords(dir).filter(record => record.type === 'config.load')
  expect(load?.detail).toMatchObject({ insecure: 'allow-anonymous' })
})

test.each([
  ['tokens', "jwt: [{ issuer: 'https://a.example', audience: x }]"],
  ['certificates', 'certificates: [{ match: { commonName: x }, principal: { id: x } }]', true],
])('where clients come with %s, no key is made that nobody asked for', async (_what, ways, hasTls = false) => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = taken.address() as { port: number }
    const authority = createAuthority()
    const { cert, key } = authority.issue('own')
    const tls = `listen: { tls: { cert: ${cert}, key: ${key}, ca: ${authority.ca}, clientCertificates: required } }\n`
    const dir = createFolder({ 'mcpgw.yaml': `${hasTls ? tls : ''}plugins: [{ auth: { ${ways} } }]\nservers: []\nlog: silent\n` })
    const { err } = await say(dir, ['run', '--http', `127.0.0.1:${port}`])
    expect(err).toMatch(/error\[listen-failed\]/)
    expect(err).not.toMatch(/shown once|mgk_/)
    expect((await say(dir, ['keys', 'list'])).err).toContain('There are no keys')
  } finally {
    taken.close()
  }
})
