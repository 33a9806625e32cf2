// `mcpgw import` writes nothing that nobody said yes to, puts every secret where nobody else reads it, and leaves a config that loads.
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { insertServers } from '../../../core/commands/import/insert.ts'
import { translate } from '../../../core/commands/import/translate.ts'
import { createFolder, say } from './run-command.ts'

const TOKEN = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'
const CURSOR = `{
  // of Cursor
  "mcpServers": {
    "github": { "command": "docker", "args": ["run", "-i", "github"], "env": { "GITHUB_TOKEN": "${TOKEN}", "REGION": "eu", }, },
    "search": { "url": "https://search.example/mcp", "headers": { "Authorization": "Bearer abc-123" } },
  },
}
`
const importAll = (dir: string, ...more: string[]) => say(dir, ['import', ...more], { HOME: dir })
const secretsIn = (dir: string): string => join(dir, '.mcpgw/secrets')

test('without a terminal and without --yes it only shows the plan, and no secret in it', async () => {
  const dir = createFolder({ '.cursor/mcp.json': CURSOR })
  const { code, out, err } = await importAll(dir)
  expect(code).toBe(0)
  expect(out).toContain('secret: env.GITHUB_TOKEN goes to .mcpgw/secrets/github-github-token')
  expect(out + err).not.toMatch(/ghp_|abc-123/)
  expect(err).toContain('Nothing is written')
  expect(readdirSync(dir)).toEqual(['.cursor'])
  expect((await importAll(dir, '--yes', '--dry-run')).code).toBe(0)
  expect(readdirSync(dir)).toEqual(['.cursor'])
})

test('with --yes: secrets are files of mode 0600, the config names them, loads, and observes at first', async () => {
  const dir = createFolder({ '.cursor/mcp.json': CURSOR })
  const { code, out } = await importAll(dir, '--yes', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ isNew: true, written: true, added: [{ id: 'github' }, { id: 'search' }] })
  expect(out).not.toMatch(/ghp_|abc-123/)
  expect(readFileSync(join(secretsIn(dir), 'github-github-token'), 'utf8')).toBe(TOKEN)
  expect(readFileSync(join(secretsIn(dir), 'search-authorization'), 'utf8')).toBe('abc-123')
  for (const file of readdirSync(secretsIn(dir))) expect(statSync(join(secretsIn(dir), file)).mode & 0o777).toBe(0o600)
  expect(statSync(secretsIn(dir)).mode & 0o777).toBe(0o700)
  const text = readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')
  expect(text).not.toMatch(/ghp_|abc-123/)
  expect(text).toContain('REGION: eu')
  expect(text).toContain('Authorization: Bearer ${secret:search-authorization}')
  const shown = await say(dir, ['config', 'show', '--json'])
  expect(shown, shown.err).toMatchObject({ code: 0, err: '' })
  const { config } = JSON.parse(shown.out)
  expect(config.servers).toMatchObject([
    {
      id: 'github',
      command: 'docker',
      args: ['run', '-i', 'github'],
      env: { GITHUB_TOKEN: '${secret:github-github-token}' },
    },
    { id: 'search', url: 'https://search.example/mcp' },
  ])
  expect(config.plugins[2]).toMatchObject({ name: 'policy', config: { mode: 'observe' } })
  expect(readFileSync(join(dir, '.cursor/mcp.json'), 'utf8')).toBe(CURSOR)
})

test('a config that is there keeps its comments, its servers and its policies; what was there is kept, and a second import finds nothing to do', async () => {
  const before = '# mine\nservers: # all\n  - id: github # by hand\n    command: mine\n\n# order\nplugins: [audit]\n'
  const dir = createFolder({ '.cursor/mcp.json': CURSOR, 'mcpgw.yaml': before })
  const { out } = await importAll(dir, '--yes')
  expect(out).toContain('keep    github  stands in the config already')
  const after = readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')
  const [head, tail] = before.split('\n\n')
  expect(after.startsWith(`${head}\n  - id: search\n    url: https://search.example/mcp\n`)).toBe(true)
  expect(after.endsWith(`\n${tail}`)).toBe(true)
  expect(readFileSync(join(dir, 'mcpgw.yaml.before-mcpgw'), 'utf8')).toBe(before)
  expect(existsSync(join(dir, 'main.policy'))).toBe(false)
  const again = await importAll(dir, '--yes')
  expect(again.code).toBe(0)
  expect(readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')).toBe(after)
})

test('a secret that is there with another value keeps it', async () => {
  const dir = createFolder({ '.cursor/mcp.json': CURSOR, '.mcpgw/secrets/github-github-token': 'older' })
  chmodSync(join(secretsIn(dir), 'github-github-token'), 0o600)
  await importAll(dir, '--yes')
  expect(readFileSync(join(secretsIn(dir), 'github-github-token'), 'utf8')).toBe('older')
  expect(readFileSync(join(secretsIn(dir), 'github-github-token-2'), 'utf8')).toBe(TOKEN)
  expect(readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')).toContain('${secret:github-github-token-2}')
})

test('two clients that mean two servers by one name: the first is taken, the other is told', async () => {
  const dir = createFolder({
    '.cursor/mcp.json': CURSOR,
    '.mcp.json':
      '{"mcpServers":{"GitHub":{"command":"x"},"search":{"url":"https://search.example/mcp","headers":{"Authorization":"Bearer abc-123"}}}}',
  })
  const { out } = await importAll(dir)
  expect(out).toContain('keep    github  of Cursor is another one: add it by hand under another id')
  expect(out).toContain('keep    search  of Cursor is the same')
})

test('in the home folder, where the file of the folder and that of the person are one, it is read once', async () => {
  const { out } = await importAll(createFolder({ '.cursor/mcp.json': CURSOR }))
  expect(out.match(/^found /gm)).toHaveLength(1)
  expect(out).not.toContain('keep')
})

test('what stays in a url or among arguments is not printed', async () => {
  const servers = {
    site: { url: 'https://site.example/sse?token=t0p5ecret&page=2' },
    tool: { command: 'npx', args: ['-y', 'a-server', '--api-key', 'k-0815', '--auth-token=x99', '--region', 'eu', TOKEN] },
  }
  const dir = createFolder({ 'client.json': JSON.stringify({ mcpServers: servers }) })
  const plan = await importAll(dir, 'client.json')
  const asJson = await importAll(dir, 'client.json', '--json')
  for (const { out, err } of [plan, asJson]) expect(out + err).not.toMatch(/t0p5ecret|k-0815|x99|ghp_/)
  expect(plan.out).toContain('https://site.example/sse?token=(hidden)&page=2')
  expect(plan.out).toContain('npx -y a-server --api-key (hidden) --auth-token=(hidden) --region eu (hidden)')
  expect((await importAll(dir, 'client.json', '--yes')).code).toBe(0)
  expect(readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')).toContain('k-0815')
})

test('servers below the entry of a gateway are servers like the others; the id of its own tools is free for none', async () => {
  const box = (args: string[]) => ({ command: 'node', args })
  const mcpServers = { guard: { ...box(['guard.js']), servers: { inner: box(['in.js']) } }, beside: box(['b.js']), Gateway: box(['g.js']) }
  const dir = createFolder({ 'client.json': JSON.stringify({ mcpServers }) })
  const { out } = await importAll(dir, 'client.json', '--json')
  expect(JSON.parse(out)).toMatchObject({
    found: [{ left: ['guard: the gateway itself', "Gateway: that is the id of the gateway's own tools; rename it"] }],
    added: [{ id: 'beside' }, { id: 'inner' }],
  })
})

test('nothing found, a file that is not there, and one that is broken', async () => {
  const dir = createFolder({
    'broken.json': '{ "mcpServers": {',
    'older.json': '{"mcpServers":{"a":{"env":{"MCP_GATEWAY_CONFIG":"x"},"command":"y"},"mcpgw":{"url":"z"},"b":{}}}',
  })
  expect(await importAll(dir)).toMatchObject({ code: 1, out: expect.stringContaining('no client has a file here') })
  expect(await importAll(dir, 'absent.json')).toMatchObject({ code: 2, err: expect.stringContaining('there is no such file') })
  expect(await importAll(dir, 'broken.json', '--yes')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/error\[client-file\]: .*broken\.json:1:18/),
  })
  const { code, out } = await importAll(dir, 'older.json', '--yes')
  expect(code).toBe(1)
  for (const left of ['a: the gateway itself', 'mcpgw: the gateway itself', 'b: neither a command nor a url']) expect(out).toContain(left)
  expect(existsSync(join(dir, 'mcpgw.yaml'))).toBe(false)
})

test('where secrets come from a command, or the result would not load, nothing is written', async () => {
  const dir = createFolder({ '.cursor/mcp.json': CURSOR, 'mcpgw.yaml': 'secrets: {command: [pass]}\n' })
  expect(await importAll(dir, '--yes')).toMatchObject({ code: 2, err: expect.stringContaining('`secrets.command`') })
  writeFileSync(join(dir, 'mcpgw.yaml'), 'plugins: [audit, audit]\n')
  expect(await importAll(dir, '--yes')).toMatchObject({ code: 2, err: expect.stringContaining('stands twice') })
  expect(readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')).toBe('plugins: [audit, audit]\n')
  expect(existsSync(join(dir, '.mcpgw'))).toBe(false)
})

describe('an entry', () => {
  const of = (entry: Record<string, unknown>) => translate({ name: 'My Box', id: 'My-Box', from: 'X', entry }, { workspaceFolder: '/w' })

  test('keeps references, puts folders in, makes secrets of inputs, and shows a literal $ as one', () => {
    const { item, secrets, notes } = of({
      command: '${workspaceFolder}/x',
      args: ['${HOME}', '${A:-b}'],
      env: { A: '${env:A}', K: '${input:pin}' },
    })
    expect(item).toEqual({
      id: 'My-Box',
      name: 'My Box',
      command: '/w/x',
      args: ['${HOME}', '$${A:-b}'],
      env: { A: '${env:A}', K: '${secret:my-box-pin}' },
    })
    expect(secrets).toEqual([{ name: 'my-box-pin', place: 'env.K' }])
    expect(notes.join()).toContain('write it into the secret my-box-pin')
  })

  test('says what it cannot keep: limits on tools, keys of the client, secrets in arguments and urls', () => {
    const { notes } = of({ command: 'x', args: ['--api-key', 'abc'], disabledTools: ['y'], gallery: true })
    expect(notes).toEqual([
      'its arguments hold what looks like a secret, which stays there: better a variable of env',
      '"disabledTools" is not taken over: say it with a rule of the policy',
      '"gallery" has no meaning here',
    ])
    expect(of({ url: 'https://x.example/?api_key=abc' }).notes.join()).toContain('its url holds')
  })

  test('that is switched off stays so, and one over SSE is one', () => {
    expect(of({ command: 'x', disabled: true }).item).toMatchObject({ enabled: false })
    expect(of({ type: 'sse', url: 'https://x.example/sse' }).item).toMatchObject({ protocol: 'sse' })
  })
})

test.each([
  ['no list yet', 'log: info', 'log: info\n\nservers:\n  - id: b\n'],
  ['an empty list and its comment', 'servers: [] # none\nlog: info\n', 'servers: # none\n  - id: b\nlog: info\n'],
  ['a list that is not indented', 'servers:\n- id: a\nlog: info\n', 'servers:\n- id: a\n- id: b\nlog: info\n'],
  ['comments behind the last', 'servers:\n  - id: a # c\n  # end\nlog: info\n', 'servers:\n  - id: a # c\n  - id: b\n  # end\nlog: info\n'],
  ['no line end at the end', 'servers:\n  - id: a', 'servers:\n  - id: a\n  - id: b\n'],
  ['a list in brackets', 'servers: [{id: a}]\n', 'servers: [{id: a}, {"id":"b"}]\n'],
  ['JSON', '{"servers":[],"log":"info"}', '{"servers":[{"id":"b"}],"log":"info"}'],
  ['nothing', '', '\nservers:\n  - id: b\n'],
])('servers are added to a config with %s', (_what, before, after) => {
  expect(insertServers(before, [{ id: 'b' }])).toEqual({ text: after })
})
