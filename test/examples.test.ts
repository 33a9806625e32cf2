// The hello plugin and the gateway as strangers get them: from their tarballs, in a project that knows nothing of this repository.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPackedProject, type PackedProject, root } from './packed-project.ts'

let project: PackedProject
beforeAll(() => {
  project = createPackedProject()
})
afterAll(() => project?.remove())

function mcpgw(...words: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [project.bin, ...words], {
    cwd: project.dir,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
  return { code: status, out: stdout, err: stderr }
}

describe('the hello plugin, from its tarball', () => {
  test('holds what it needs and nothing else', () => {
    expect(project.hello.files.toSorted()).toEqual([
      'README.md',
      'commands/count.js',
      'config.js',
      'counts.js',
      'index.js',
      'package.json',
      'words.js',
    ])
  })

  test('is found by its short name, and its place in the order is proven', () => {
    const short = mcpgw('plugins', 'order', '--plugin', 'audit', '--plugin', 'hello')
    expect(short).toMatchObject({ code: 0, out: expect.stringMatching(/^1\. audit +records\n2\. hello *\n$/) })
    expect(mcpgw('plugins', 'order', '--plugin', 'mcpgw-plugin-hello').code).toBe(0)
    expect(mcpgw('plugins', 'list', '--plugin', 'hello', '--json').out).toContain('"source": "package"')
  })

  test('acts on real calls of a client over stdio, and its command tells of them', async () => {
    const config = `
servers:
  - id: notes
    command: ${JSON.stringify(process.execPath)}
    args: [${JSON.stringify(join(project.dir, 'node_modules/mcpgw/dist/core/demo/notes.js'))}]
plugins:
  - audit
  - redact
  - hello:
      greeting: Hello
      forbidden: [groceries]
`
    writeFileSync(join(project.dir, 'mcpgw.yaml'), config)
    const client = new Client({ name: 'test', version: '1.0.0' })
    const env = { PATH: process.env.PATH ?? '' }
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [project.bin, 'run', '--stdio'],
        cwd: project.dir,
        env,
        stderr: 'ignore',
      }),
    )
    try {
      const found = await client.callTool({ name: 'notes__search_notes', arguments: { query: 'welcome', limit: 1 } })
      expect(found.content).toContainEqual({ type: 'text', text: expect.stringContaining('note://welcome') })
      expect(found.content).toContainEqual({ type: 'text', text: expect.stringMatching(/^Hello, \w+!$/) })
      const refused = await client.callTool({ name: 'notes__search_notes', arguments: { query: 'my Groceries' } })
      expect(refused).toMatchObject({ isError: true, _meta: { 'mcpgw/refusal': { code: 'denied' } } })
    } finally {
      await client.close()
    }
    expect(mcpgw('hello', 'count')).toMatchObject({ code: 0, out: '     2  notes__search_notes\n' })
    expect(mcpgw('audit', 'log', '--json').out).toContain('forbidden word: groceries')
  })

  test("its own tests pass against the gateway's tarball", () => {
    const copy = join(project.dir, 'hello-sources')
    mkdirSync(copy)
    execFileSync('cp', ['-R', join(root, 'examples/hello-plugin/.'), copy])
    // A test runner inside a test runner is told so by this variable, and would report to nobody.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout } = spawnSync(process.execPath, ['--test'], { cwd: copy, encoding: 'utf8', env })
    expect(stdout).toMatch(/^# pass [1-9]|ℹ pass [1-9]/m)
    expect(status, stdout).toBe(0)
  })

  test('types resolve from the tarballs, strictly, also for plain JavaScript', () => {
    const files = ['index.js', 'config.js', 'words.js', 'counts.js', 'commands/count.js', 'hello.test.js']
    const copy = join(project.dir, 'typed')
    mkdirSync(join(copy, 'commands'), { recursive: true })
    for (const file of files) copyFileSync(join(root, 'examples/hello-plugin', file), join(copy, file))
    writeFileSync(join(copy, 'package.json'), '{"type":"module"}')
    writeFileSync(
      join(copy, 'embed.ts'),
      `import audit from 'mcpgw/plugins/audit'
import { errors, loadConfig, openGateway, type GatewayConfig } from 'mcpgw'
import type { Capability } from 'mcpgw/plugin'
export const name: string = audit.name
export const capability: Capability = 'records'
export const number: number = errors.denied.rpc
export const port = (config: GatewayConfig): number => config.listen.port
export const start: readonly unknown[] = [loadConfig, openGateway]
// @ts-expect-error a code that is not in the table
errors.nonsense
`,
    )
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023'],
      types: ['node'],
      noEmit: true,
      strict: true,
      allowJs: true,
      checkJs: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    }
    writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['.'] }))
    const { status, stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', copy], {
      encoding: 'utf8',
    })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })
})
