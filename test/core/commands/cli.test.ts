// The bin as a process, built: version, verbs of plugins, exit codes, and that an old Node could still parse it.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createFolder } from './run-command.ts'

const bin = fileURLToPath(new URL('../../../dist/core/cli.js', import.meta.url))
const version = (JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }).version

function run(words: readonly string[], cwd = createFolder()): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...words], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
  return { code: status, out: stdout, err: stderr }
}

test('--version prints the version alone', () => {
  for (const flag of ['--version', '-V']) expect(run([flag])).toEqual({ code: 0, out: `${version}\n`, err: '' })
})

test('--version loads nothing but what Node brings', () => {
  const text = readFileSync(bin, 'utf8')
  expect([...text.matchAll(/^import .* from '(.*)'/gm)].map(([, from]) => from)).toEqual(['module'])
})

test('the bin keeps to syntax that old Node versions parse, so that they can say why they are refused', () => {
  const code = readFileSync(bin, 'utf8').replaceAll(/^\s*\/\/.*$/gm, '')
  expect(code.startsWith('#!/usr/bin/env node\n')).toBe(true)
  expect(code).not.toMatch(/\?\?|\?\.|\bawait\b|\|\|=|&&=|\bstatic\s*\{|#[a-z]|'node:/)
})

test('verbs of a built-in plugin run without a gateway', () => {
  const dir = createFolder()
  const made = run(['keys', 'create', 'My Agent', 'agent-1', 'reader,writer'], dir)
  expect(made.code).toBe(0)
  const listed = run(['keys', 'list', '--json'], dir)
  expect(listed.code).toBe(0)
  expect(listed.out).toContain('agent-1')
})

test("a built-in plugin's verbs stand in the help", () => {
  const { code, out } = run(['--help'])
  expect(code).toBe(0)
  expect(out).toMatch(/^ {2}keys +create, list, rotate, import, revoke$/m)
})

test('an unknown verb is exit 2 on stderr', () => {
  const { code, out, err } = run(['kyes'])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('Did you mean keys?')
})

test("a config that does not fit the plugin stops the plugin's verb with the place", () => {
  const dir = createFolder({ 'x.yaml': 'plugins:\n  - auth:\n      stdio: {id: 5}\n' })
  const { code, err } = run(['keys', 'list', '-c', 'x.yaml'], dir)
  expect(code).toBe(2)
  expect(err).toContain('x.yaml:3:19')
})

test('a call or list whose server only fails says so: no command ends early as if it had done its work', () => {
  const dir = createFolder({ 'mcpgw.yaml': 'plugins: []\nservers:\n  - { id: gone, command: node, args: [-e, process.exit(2)] }\n' })
  const called = run(['tools', 'call', 'gone__x', '{}'], dir)
  expect(called.code).toBe(1)
  expect(called.err).toContain('error[upstream-unavailable]')
  const listed = run(['tools', 'list', '--json'], dir)
  expect(listed.out).toContain('"tools": []')
})
