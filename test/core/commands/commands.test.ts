// The core's verbs: what they print, where, and with which exit code.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { coreVerbs } from '../../../core/commands/table.ts'
import { errors } from '../../../core/errors.ts'
import { createFolder, say } from './run-command.ts'

describe('usage', () => {
  test('an unknown command is a usage error with a suggestion', async () => {
    const { code, out, err } = await say(createFolder(), ['docter'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain("error[usage]: unknown command 'docter'")
    expect(err).toContain('Did you mean doctor?')
  })

  test('a missing argument, an unknown option and a bare group are usage errors', async () => {
    const dir = createFolder()
    expect((await say(dir, ['explain'])).code).toBe(2)
    expect((await say(dir, ['doctor', '--jsn'])).code).toBe(2)
    expect((await say(dir, ['config'])).code).toBe(2)
    expect((await say(dir, [])).code).toBe(2)
  })

  test('half a client certificate is a usage error', async () => {
    const { code, err } = await say(createFolder(), ['servers', 'status', '--client-cert', 'x.pem'])
    expect([code, err]).toEqual([2, 'error[usage]: --client-cert and --client-key go together\n'])
  })

  test('a verb of a plugin that needs settings, where the config does not name the plugin, says that', async () => {
    const dir = createFolder()
    writeFileSync(join(dir, 'mcpgw.yaml'), 'servers: []\nplugins: [audit]\n')
    const { code, out, err } = await say(dir, ['stripe', 'status'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('the config names no plugin "stripe", and this command needs its settings')
  })

  test('help names every verb of the core and goes to stdout', async () => {
    const { code, out } = await say(createFolder(), ['--help'])
    expect(code).toBe(0)
    for (const { path } of coreVerbs) expect(out).toContain(path[0])
    expect((await say(createFolder(), ['config', 'show', '--help'])).out).toContain('--origin')
  })

  test('every verb loads, and has an example that begins with it', async () => {
    for (const verb of coreVerbs) {
      expect(typeof (await verb.load())).toBe('function')
      for (const example of verb.examples) expect(example.startsWith(`mcpgw ${verb.path.join(' ')}`)).toBe(true)
    }
  })
})

describe('init', () => {
  test('writes a config that loads, a policy that holds, and the schema beside them', async () => {
    const dir = createFolder()
    const { code, out } = await say(dir, ['init'])
    expect(code).toBe(0)
    expect(out).toContain('wrote mcpgw.yaml')
    const text = readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=.mcpgw/schema.json')
    expect(JSON.parse(readFileSync(join(dir, '.mcpgw/schema.json'), 'utf8'))).toMatchObject({
      title: 'mcpgw.yaml',
      additionalProperties: false,
    })
    expect(statSync(join(dir, '.mcpgw')).mode & 0o077).toBe(0)
    const shown = await say(dir, ['config', 'show', '--json'])
    expect(JSON.parse(shown.out)).toMatchObject({
      file: 'mcpgw.yaml',
      config: { plugins: [{ name: 'audit' }, { name: 'auth' }, { name: 'policy' }, { name: 'redact' }] },
    })
    expect(shown.err).toBe('')
    expect((await say(dir, ['policy', 'test'])).out).toContain('3 passed, 0 failed; covered: rules 100 %')
    expect((await say(dir, ['policy', 'fmt', '--check'])).code).toBe(0)
  })

  test('a second time writes nothing', async () => {
    const dir = createFolder()
    await say(dir, ['init'])
    const again = JSON.parse((await say(dir, ['init', '--json'])).out)
    expect(again).toMatchObject({ wrote: [], kept: ['mcpgw.yaml', 'main.policy', '.mcpgw/schema.json'] })
  })

  test('keeps what is there, and adds no policy that the config does not name', async () => {
    const dir = createFolder({ 'mcpgw.yaml': 'names: bare\n' })
    const { code, out } = await say(dir, ['init'])
    expect(code).toBe(0)
    expect(out).toContain('kept  mcpgw.yaml')
    expect(readFileSync(join(dir, 'mcpgw.yaml'), 'utf8')).toBe('names: bare\n')
    expect(existsSync(join(dir, 'main.policy'))).toBe(false)
  })

  test('says that it could not where the folder is not there', async () => {
    const { code, err } = await say(join(createFolder(), 'absent', 'deep'), ['init'])
    expect(code).toBe(3)
    expect(err).toContain('error[cannot-write]')
  })

  test('uncommenting its examples gives a config that loads', async () => {
    const dir = createFolder()
    await say(dir, ['init'])
    const path = join(dir, 'mcpgw.yaml')
    const text = readFileSync(path, 'utf8')
      .replace('servers: []', 'servers:')
      .replaceAll(/^# {2}/gm, '  ')
    writeFileSync(path, text)
    const { code, err } = await say(dir, ['config', 'show'])
    expect(err).toContain('unknown-secret')
    expect(code).toBe(2)
    writeFileSync(path, text.replace('${secret:remote-token}', 'x'))
    expect((await say(dir, ['config', 'show'])).code).toBe(0)
  })
})

describe('config show', () => {
  test('tells the origin of every value and shows no secret', async () => {
    const dir = createFolder({
      'mcpgw.yaml': 'servers:\n  - id: a\n    command: node\n    env: {TOKEN: very-secret-value, FROM: "${TOKEN}"}\n',
    })
    const { code, out } = await say(dir, ['config', 'show', '--origin'], { TOKEN: 'very-secret-value', MCPGW_LOG: 'warn' })
    expect(code).toBe(0)
    expect(out).toMatch(/servers\.0\.command = "node" +# mcpgw\.yaml:3:14/)
    expect(out).toMatch(/servers\.0\.env\.FROM = "\$\{TOKEN\}" +# mcpgw\.yaml:4:/)
    expect(out).toMatch(/log = "warn" +# MCPGW_LOG/)
    expect(out).not.toContain('very-secret-value')
  })

  test('a broken config is exit 2, findings on stderr, with --json also on stdout', async () => {
    const dir = createFolder({ 'mcpgw.yaml': 'name: x\n' })
    const plain = await say(dir, ['config', 'show'])
    expect(plain).toMatchObject({ code: 2, out: '' })
    expect(plain.err).toContain('mcpgw.yaml:1:1')
    expect(JSON.parse((await say(dir, ['config', 'show', '--json'])).out)).toMatchObject({
      error: 'config',
      diagnostics: [{ code: 'unknown-key', line: 1 }],
    })
  })
})

describe('servers list', () => {
  const files = {
    'mcpgw.yaml': `servers:
  - { id: crm, url: "https://crm.example/mcp", description: Customers, owner: team-crm, tags: [crm, production] }
  - { id: files, command: node, tags: [production] }
  - { id: plain, command: node }
`,
  }
  const idsOf = async (...words: string[]): Promise<string[]> =>
    (
      JSON.parse((await say(createFolder(files), ['servers', 'list', '--json', ...words])).out) as { servers: { id: string }[] }
    ).servers.map(({ id }) => id)

  test('shows what is said of each, and finds those of a tag', async () => {
    expect(await idsOf()).toEqual(['crm', 'files', 'plain'])
    expect(await idsOf('--tag', 'production')).toEqual(['crm', 'files'])
    expect(await idsOf('--tag', 'crm')).toEqual(['crm'])
    const { out } = await say(createFolder(files), ['servers', 'list'])
    expect(out).toMatch(/^\* crm +crm +https:\/\/crm\.example\/mcp +team-crm +crm, production\n\* files +files +node +production\n/)
    const listed = JSON.parse((await say(createFolder(files), ['servers', 'list', '--json'])).out) as { servers: object[] }
    expect(listed.servers[0]).toMatchObject({ description: 'Customers', owner: 'team-crm', tags: ['crm', 'production'] })
    expect(Object.keys(listed.servers[2]!)).not.toContain('owner')
  })

  test('says where no server has the tag', async () => {
    expect(await say(createFolder(files), ['servers', 'list', '--tag', 'nobody'])).toMatchObject({
      code: 0,
      out: '',
      err: 'No server has the tag nobody.\n',
    })
  })
})

test('config schema is a JSON Schema that knows the keys', async () => {
  const { out } = await say(createFolder(), ['config', 'schema'])
  const keys = Object.keys((JSON.parse(out) as { properties: object }).properties)
  expect(keys).toEqual([
    'listen',
    'servers',
    'plugins',
    'policies',
    'store',
    'secrets',
    'limits',
    'names',
    'refusals',
    'log',
    'metrics',
    'telemetry',
    'gateway',
    'registration',
  ])
})

describe('explain', () => {
  test('knows codes of calls, of configs and of plugins', async () => {
    const dir = createFolder()
    expect((await say(dir, ['explain', 'unauthenticated'])).out).toContain('HTTP 401')
    expect((await say(dir, ['explain', 'unknown-key'])).out).toContain('unknown-key')
    expect((await say(dir, ['explain', 'plugin-order'])).code).toBe(0)
    expect(JSON.parse((await say(dir, ['explain', 'denied', '--json'])).out)).toMatchObject({ code: 'denied', http: 403 })
  })

  test('every code of the error table is explained, with its numbers', async () => {
    const dir = createFolder()
    for (const [code, { rpc, http, text, help }] of Object.entries(errors)) {
      const { out } = await say(dir, ['explain', code])
      const numbers = `${help}\n\nJSON-RPC ${rpc}, HTTP ${http}\n`
      // Where a plugin has a code of the same name, both are told, each with who tells it.
      if (out.includes(' (gateway)\n')) expect(out.startsWith(`${code}: ${text} (gateway)\n\n${numbers}\n`)).toBe(true)
      else expect(out).toBe(`${code}: ${text}\n\n${numbers}`)
    }
  })

  test('suggests where it does not know', async () => {
    const { code, err } = await say(createFolder(), ['explain', 'unauthenticatd'])
    expect(code).toBe(2)
    expect(err).toContain('did you mean unauthenticated?')
    expect((await say(createFolder(), ['explain', 'constructor'])).code).toBe(2)
    expect((await say(createFolder(), ['explain', 'regex'])).err).toContain('did you mean bad-regex, regex-unanchored, regex-dot?')
  })

  test('knows every code of policies, with why and an example of each kind', async () => {
    const { code, out } = await say(createFolder(), ['explain', 'then-on-deny'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^error\[then-on-deny\]: obligations on a deny\n\n[A-Z][^\n]+\n\nWrong:\n\n {2}policy "p".+\n\nRight:\n\n {2}policy "p"/s,
    )
  })

  test('says every meaning of a code that several tell', async () => {
    const dir = createFolder()
    const { out } = await say(dir, ['explain', 'unknown-tool'])
    expect(out).toMatch(/^unknown-tool: .+ \(gateway\)$/m)
    expect(out).toMatch(/^error\[unknown-tool\]: .+ \(policy\)$/m)
    const json = JSON.parse((await say(dir, ['explain', 'unknown-tool', '--json'])).out) as { by: string; also: unknown[] }
    expect(json).toMatchObject({ by: 'gateway', http: 200, also: [{ by: 'policy', severity: 'error' }] })
  })

  test('asks the plugins that the config names, and a plugin that fails takes no other code away', async () => {
    const source = (name: string, explains: string) =>
      `export default { name: '${name}', apiVersion: 1, capabilities: [], config: { '~standard': { version: 1, vendor: 'x', validate: value => ({ value }) } }, explains() { ${explains} }, setup: () => ({}) }\n`
    const dir = createFolder({
      'good.mjs': source('good', "return { 'too-late': { text: 'it is late', help: 'Come tomorrow.' } }"),
      'bad.mjs': source('bad', "throw new Error('no page')"),
      'mcpgw.yaml': 'plugins: [./bad.mjs, ./good.mjs]\n',
      'broken.yaml': 'plugin: []\n',
    })
    const { code, out, err } = await say(dir, ['explain', 'too-late'])
    expect({ code, out }).toEqual({ code: 0, out: 'too-late: it is late\n\nCome tomorrow.\n' })
    expect(err).toBe('warning[plugin-broken]: the plugin bad cannot say what its codes mean: no page\n')
    expect((await say(dir, ['explain', 'unauthenticated', '-c', 'broken.yaml'])).code).toBe(0)
    expect((await say(dir, ['explain', 'too-late', '-c', 'broken.yaml'])).err).toContain('the config does not load')
  })
})

describe('plugins', () => {
  const plugin = (name: string, capability: string) =>
    `export default { name: '${name}', apiVersion: 1, capabilities: ['${capability}'], config: { '~standard': { version: 1, vendor: 'x', validate: v => 'bad' in v ? { issues: [{ message: 'bad is bad', path: ['bad'] }] } : { value: v } } }, setup: () => ({}) }\n`
  const files = { 'who.mjs': plugin('who', 'authenticates'), 'judge.mjs': plugin('judge', 'decides') }

  test('order shows an order that holds', async () => {
    const dir = createFolder({ ...files, 'mcpgw.yaml': 'plugins: [./who.mjs, ./judge.mjs]\n' })
    const { code, out } = await say(dir, ['plugins', 'order'])
    expect(out).toMatch(/1\. who +authenticates\n2\. judge +decides\n/)
    expect(code).toBe(0)
  })

  test('order refuses one that does not, with its place and the order that would do', async () => {
    const dir = createFolder({ ...files, 'mcpgw.yaml': 'plugins:\n  - ./judge.mjs\n  - ./who.mjs\n' })
    const { code, err } = await say(dir, ['plugins', 'order'])
    expect(code).toBe(2)
    expect(err).toContain('this order would do: who, judge')
    expect(err).toContain('mcpgw.yaml:3:5')
  })

  test("a finding about a plugin's config stands at its place", async () => {
    const dir = createFolder({ ...files, 'mcpgw.yaml': 'plugins:\n  - ./who.mjs:\n      good: 1\n      bad: 2\n' })
    const { code, err } = await say(dir, ['plugins', 'order'])
    expect(code).toBe(2)
    expect(err).toContain('mcpgw.yaml:4:12')
  })
})
