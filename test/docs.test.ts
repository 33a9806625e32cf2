// The documentation is executed: every fenced block of every page runs or is checked, and none is passed over.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { coreVerbs } from '../core/commands/table.ts'
import { builtInPlugins } from '../core/index.ts'
import type { Plugin } from '../core/plugin/index.ts'
import { type Block, readBlocks } from './docs/blocks.ts'
import { runBlock } from './docs/run-block.ts'
import { createWorkspace, type Workspace } from './docs/workspace.ts'
import { root } from './packed-project.ts'
import { files as policyFiles } from './plugins/policy/commands/folder.ts'

const pagesIn = (folder: string): string[] => readdirSync(join(root, folder)).map(name => `${folder}/${name}/README.md`)
const pages = [
  'README.md',
  'PLUGINS.md',
  'CHANGELOG.md',
  'core/README.md',
  'dsl/README.md',
  'test/bench/README.md',
  'test/conformance/README.md',
  ...pagesIn('plugins'),
  ...pagesIn('examples'),
]

const read = (page: string): string => readFileSync(join(root, page), 'utf8')
const LIMIT_MS = 300_000

describe.each(pages)('%s', page => {
  const blocks = readBlocks(read(page))
  let at: Workspace
  beforeAll(() => {
    at = createWorkspace(/^examples\/([^/]+)\//.exec(page)?.[1])
  })
  afterAll(() => at?.remove())

  // In the order of the page, in one folder: a reader has done what stands before.
  for (const block of blocks) {
    test(`line ${block.line}: the ${block.language || 'nameless'} block holds`, () => runBlock(block, at), LIMIT_MS)
  }

  if (blocks.some(({ language }) => language === 'js' || language === 'ts')) {
    test('its code has right types', () => checkTypes(at.dir), LIMIT_MS)
  }

  const plugin = /^plugins\/([^/]+)\//.exec(page)?.[1]
  test.skipIf(plugin === undefined)('names only metrics that its plugin has', () => {
    const folder = join(root, 'plugins', plugin!)
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
    const code = sources.map(name => readFileSync(join(folder, name), 'utf8')).join('\n')
    const has = new Set([...code.matchAll(/\b(?:counter|gauge|histogram)\('([a-z_]+)'/g)].map(([, name]) => `mcpgw_${plugin}_${name}`))
    const named = [...read(page).matchAll(new RegExp(`\\bmcpgw_${plugin}_[a-z_]+`, 'g'))].map(([name]) => name)
    expect(named.filter(name => !has.has(name))).toEqual([])
  })

  test('names only files that exist', () => {
    const folder = join(root, page, '..')
    const targets = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!)
    expect(targets.filter(target => !existsSync(join(folder, target)))).toEqual([])
  })
})

function checkTypes(dir: string): void {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023'],
    types: ['node'],
    noEmit: true,
    strict: true,
    allowJs: true,
    checkJs: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  }
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.js', '**/*.mjs', '**/*.ts'] }))
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], { encoding: 'utf8' })
  expect(status, stdout).toBe(0)
}

describe('the two commands of the README', () => {
  const blocks = readBlocks(read('README.md'))
  const command = (mark: string): string => {
    const [block, ...more] = blocks.filter(({ marks }) => marks.includes(mark))
    expect(more).toEqual([])
    return block!.text.trimEnd()
  }

  test('are one line each: install, build and run; install and test', () => {
    expect(command('run command')).toBe('npm install && npm run build && npm start')
    expect(command('test command')).toBe('npm install && npm run check')
  })

  test('are what CI runs', () => {
    const line = readFileSync(join(root, '.ci/run'), 'utf8')
      .split('\n')
      .find(one => one.startsWith('command='))
    expect(execFileSync('bash', ['-c', `${line}\necho "$command"`], { cwd: root, encoding: 'utf8' }).trimEnd()).toBe(
      command('test command'),
    )
  })
})

/** A word of a command in the first cell of a table's row. */
function isInCell(row: string, word: string): boolean {
  return (
    row.startsWith('| `') &&
    row
      .split('|')[1]!
      .split(/[` ,]+/)
      .includes(word)
  )
}

async function listVerbs(): Promise<readonly { readonly path: readonly string[]; readonly examples: readonly string[] }[]> {
  const plugins = await Promise.all(
    builtInPlugins.map(async name => ((await import(join(root, 'plugins', name, 'index.ts'))) as { default: Plugin }).default),
  )
  return [...coreVerbs, ...plugins.flatMap(({ commands = [] }) => commands)]
}

test('PLUGINS.md tells of every hook, verdict, capability, member of a plugin and of its context, and of the whole test kit', async () => {
  const page = read('PLUGINS.md')
  const contract = read('core/plugin/plugin.ts')
  const membersOf = (name: string): string[] => {
    const body = new RegExp(`^export interface ${name}\\b[^{]*\\{(.*?)^\\}`, 'ms').exec(contract)![1]!
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(([, member]) => member!)
  }
  const capabilities = [...contract.matchAll(/^ {2}\| '([\w-]+)'/gm)].map(([, one]) => one!)
  const verdicts = ['pass', 'deny', 'allow', 'identify', 'rewrite', 'answer', 'drop', 'narrow']
  const kit = Object.keys(await import('../core/testing/index.ts'))
  const words = [...membersOf('Plugin'), ...membersOf('PluginContext'), ...membersOf('Hooks'), ...capabilities, ...verdicts, ...kit]
  expect(words.length).toBeGreaterThan(50)
  expect(words.filter(word => !new RegExp(`\`[^\`]*\\b${word}\\b[^\`]*\``).test(page))).toEqual([])
})

describe('what the help shows', () => {
  let at: Workspace
  beforeAll(() => {
    at = createWorkspace()
    writeFileSync(join(at.dir, 'mcpgw.yaml'), demoConfig)
    for (const file of ['main.policy', 'gateway.yaml']) writeFileSync(join(at.dir, file), policyFiles[file]!)
    writeFileSync(join(at.dir, 'weather.yaml'), 'url: https://weather.example\ntools:\n  - {name: now, method: GET, path: /now}\n')
    writeFileSync(join(at.dir, 'claude_desktop_config.json'), JSON.stringify({ mcpServers: { notes: demoNotes } }))
  })
  afterAll(() => at?.remove())
  const demoNotes = { command: process.execPath, args: [join(root, 'dist/core/demo/notes.js')] }
  const demoBilling = { stripe: { dryRun: true, meters: [{ event: 'tool_calls' }] } }
  // What `servers add` may name; any secret is its own name.
  const registration = { secrets: { 'crm-token': ['https://crm.tools.example'] } }
  const demoConfig = `registration: ${JSON.stringify(registration)}\nsecrets: {command: [echo]}\nservers:\n  - {id: notes, command: ${demoNotes.command}, args: [${demoNotes.args[0]}]}\nplugins: [audit, auth, redact, meter, ${JSON.stringify(demoBilling)}]\n`
  // A chain without a checkpoint is consistent, and more cannot be said.
  const codes: Readonly<Record<string, number>> = {
    'mcpgw audit verify': 4,
    // Nothing waits for approval here.
    'mcpgw approvals approve apr_0123456789abcdef --because "asked Ann on the phone"': 3,
    'mcpgw approvals reject apr_0123456789abcdef': 3,
  }

  test('every command stands in the table of the README', async () => {
    const rows = read('README.md').split('\n')
    const lost = (await listVerbs()).map(({ path }) => path).filter(path => !rows.some(row => path.every(word => isInCell(row, word))))
    expect(lost).toEqual([])
  })

  test(
    'every example of every command runs',
    async () => {
      const lines = (await listVerbs()).flatMap(verb => verb.examples)
      expect(lines.length).toBeGreaterThan(20)
      // Something is recorded before the log is looked at.
      for (const line of ['mcpgw tools call notes__search_notes \'{"query":""}\'', ...lines]) {
        const { code, out, err } = await at.run('bash', ['-euo', 'pipefail', '-c', line])
        expect(code, `${line}\n${out}\n${err}`).toBe(codes[line] ?? 0)
      }
    },
    LIMIT_MS,
  )
})

describe('the reader of pages', () => {
  test('finds blocks with their language, line and marks', () => {
    const text = 'a\n\n<!-- file: x.yaml -->\n<!-- exits with 4 -->\n```yaml\nk: 1\n```\n\n  ~~~sh\n  ls\n  ~~~\n'
    const expected: Block[] = [
      { language: 'yaml', text: 'k: 1\n', line: 5, marks: ['file: x.yaml', 'exits with 4'] },
      { language: 'sh', text: 'ls\n', line: 9, marks: [] },
    ]
    expect(readBlocks(text)).toEqual(expected)
  })

  test('a mark that means nothing, and a block that never ends, are mistakes', () => {
    expect(() => readBlocks('<!-- fiel: x -->\n```sh\n```\n')).toThrow('unknown mark')
    expect(() => readBlocks('```sh\nls\n')).toThrow('never closed')
  })

  test('a block that nothing would run is a mistake, and so is one that fails', async () => {
    const at = createWorkspace()
    const block = (language: string, text: string, marks: string[] = []): Block => ({ language, text, line: 1, marks })
    const wrong: Block[] = [
      block('', 'ls\n'),
      block('bash', 'ls\n'),
      block('sh', 'false\n'),
      block('sh', 'true\n', ['exits with 4']),
      block('console', '$ echo a\nb\n'),
      block('yaml', 'serverz: []\n'),
      block('yaml', 'plugins: [redact, audit]\n'),
      block('json', '{"a":1,}\n'),
      block('js', 'throw new Error("x")\n'),
    ]
    for (const one of wrong) await expect(runBlock(one, at), one.text).rejects.toThrow()
    for (const right of [block('console', '$ echo a; echo bcd\na\nb...\n'), block('sh', 'exit 4\n', ['exits with 4'])]) {
      await expect(runBlock(right, at)).resolves.toBeUndefined()
    }
    at.remove()
  })
})
