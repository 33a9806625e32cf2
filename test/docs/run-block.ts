// What it means that a block is true, by its language. A language that is not here is a mistake of the page.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { createSecretStore, type LoadOptions, loadConfig } from '../../core/index.ts'
import { type Block, markValue } from './blocks.ts'
import { tryClients } from './clients.ts'
import type { Workspace } from './workspace.ts'

type Runner = (block: Block, at: Workspace) => Promise<void>

export const runners: Readonly<Record<string, Runner>> = {
  sh: runShell,
  console: runSession,
  policy: checkPolicy,
  yaml: checkYaml,
  json: checkJson,
  js: runScript,
  ts: keepTypes,
  sql: checkSql,
}

export async function runBlock(block: Block, at: Workspace): Promise<void> {
  const run = runners[block.language]
  if (run === undefined) throw new Error(`no block may be in ${JSON.stringify(block.language)}: nothing would run it`)
  const file = markValue(block, 'file: ')
  if (file !== undefined) keep(at, file, block.text)
  await run(block, at)
}

function keep(at: Workspace, file: string, text: string): void {
  const path = join(at.dir, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** The whole block is one script; it ends with the code that the page names, 0 by default. Or a test takes it from the page, which the test says. */
async function runShell(block: Block, at: Workspace): Promise<void> {
  const test = markValue(block, 'run by ')
  if (test !== undefined) return expect(readFileSync(test, 'utf8')).toContain(`run by ${test}`)
  const { code, out, err } = await at.run('bash', ['-euo', 'pipefail', '-c', block.text])
  expect(code, `${out}\n${err}`).toBe(Number(markValue(block, 'exits with ') ?? 0))
}

/** Lines after `$ ` are typed, the others are what is then seen, in this order; `...` stands for whatever else there is. */
async function runSession(block: Block, at: Workspace): Promise<void> {
  const steps: { typed: string; seen: string[] }[] = []
  for (const line of block.text.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) steps.push({ typed: line.slice(2), seen: [] })
    else if (steps.length === 0) throw new Error('a session starts with a command')
    else steps.at(-1)!.seen.push(line)
  }
  for (const [index, { typed, seen }] of steps.entries()) {
    const { code, out, err } = await at.run('bash', ['-euo', 'pipefail', '-c', typed])
    const expected = index === steps.length - 1 ? Number(markValue(block, 'exits with ') ?? 0) : 0
    expect(code, `${typed}\n${out}\n${err}`).toBe(expected)
    expect(`${out}${err}`, typed).toMatch(toPattern(seen))
  }
}

function toPattern(seen: readonly string[]): RegExp {
  const lines = seen.map(line =>
    line
      .split('...')
      .map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/ +/g, ' +'))
      .join('.*'),
  )
  return new RegExp(lines.map(line => `^${line}[^\\S\\n]*$`).join('(?:.*\\n)*?'), 'm')
}

/** SQL needs a server: a test that has one takes it from the page. */
async function checkSql(block: Block): Promise<void> {
  const test = markValue(block, 'run by ')
  expect(test, 'a block of SQL says which test runs it').toBeDefined()
  expect(readFileSync(test!, 'utf8')).toContain('```sql')
}

/** A policy: it is clean, without a lock, and in the form that the formatter gives it. */
async function checkPolicy(block: Block, at: Workspace): Promise<void> {
  const file = markValue(block, 'file: ') ?? `block-${block.line}.policy`
  keep(at, file, block.text)
  for (const words of [
    ['check', file],
    ['fmt', '--check', file],
  ]) {
    const { code, out, err } = await at.run('mcpgw', ['policy', ...words])
    expect(code, `${out}\n${err}`).toBe(0)
  }
}

/** A config: it loads, nothing in it is left unenforced, each plugin accepts its part, and the order holds. */
async function checkYaml(block: Block, at: Workspace): Promise<void> {
  const file = markValue(block, 'file: ') ?? `block-${block.line}.yaml`
  keep(at, file, block.text)
  const namesOf = (pattern: RegExp): string[] => [...block.text.matchAll(pattern)].map(([, name]) => name!)
  const variables = namesOf(/\$\{(?:env:)?([A-Za-z_]\w*)\}/g).map(name => [name, 'a-value-of-the-environment'])
  const env = { ...at.env, ...Object.fromEntries(variables) }
  for (const name of namesOf(/\$\{secret:([\w.-]+)\}/g)) {
    keep(at, join('.mcpgw/secrets', name), `the-secret-${name}`)
    chmodSync(join(at.dir, '.mcpgw/secrets', name), 0o600)
  }
  const getSecret: LoadOptions['getSecret'] = (name, place) => createSecretStore(place).get(name)
  const loaded = await loadConfig({ file: join(at.dir, file), env, cwd: at.dir, getSecret })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 2))
  expect(loaded.unenforced).toEqual([])
  // In a process of its own: a plugin beside the page imports the built package, as it would at home.
  const { code, out, err } = await at.run('mcpgw', ['plugins', 'order', '--config', file], env)
  expect(code, `${out}\n${err}`).toBe(0)
}

async function checkJson(block: Block, at: Workspace): Promise<void> {
  const value = JSON.parse(block.text) as { readonly mcpServers?: Readonly<Record<string, unknown>> }
  if (value.mcpServers !== undefined) await tryClients(value.mcpServers, at)
}

async function runScript(block: Block, at: Workspace): Promise<void> {
  const file = markValue(block, 'file: ') ?? `block-${block.line}.mjs`
  keep(at, file, block.text)
  const { code, out, err } = await at.run('node', block.text.includes("'node:test'") ? ['--test', file] : [file])
  expect(code, `${out}\n${err}`).toBe(0)
}

/** Types are checked for the page as a whole, at its end. */
async function keepTypes(block: Block, at: Workspace): Promise<void> {
  keep(at, markValue(block, 'file: ') ?? `block-${block.line}.ts`, block.text)
}
