// doctor and plugins: they are set up as the start sets them up, and nothing of what they keep is made or changed.
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFolder, say } from './run-command.ts'

interface Document {
  readonly ok: boolean
  readonly checks: readonly { readonly name: string; readonly status: string; readonly message: string }[]
  readonly findings: readonly { readonly code: string; readonly message: string; readonly line?: number }[]
}

async function examine(dir: string): Promise<Document & { code: number }> {
  const { code, out } = await say(dir, ['doctor', '--json'])
  return { ...(JSON.parse(out) as Document), code }
}

const all = 'plugins:\n  - audit\n  - auth\n  - policy: {files: [a.policy]}\n  - redact\n'
const good = 'policy "a" edition 1\n\nallow read {\n  who     role support\n  call    crm/search_tickets\n}\n'

test('policies that the start would refuse fail, each finding on a line of its own, in the text and as data', async () => {
  const dir = createFolder({ 'mcpgw.yaml': `listen: 127.0.0.1:0\nservers: []\n${all}`, 'a.policy': 'permit\n', 'b.policy': 'x\n' })
  const { code, out, err } = await say(dir, ['doctor'])
  expect(code).toBe(1)
  expect(out).toMatch(/^fail {2}plugins: setup of policy failed: the policies are refused:\n {6}a\.policy:1:1: error\[/m)
  expect(err).toMatch(/^error\[plugin-setup\]: setup of policy failed: the policies are refused:\n {4}a\.policy:1:1: error\[/m)
  expect(err).not.toContain('\\u{a}')
  const found = await examine(dir)
  expect(found.findings).toMatchObject([{ code: 'plugin-setup', message: expect.stringContaining('a.policy:1:1') }])
  expect(found.ok).toBe(false)
  expect(readdirSync(dir).toSorted()).toEqual(['a.policy', 'b.policy', 'mcpgw.yaml'])
})

test('a key of a plugin that others may read fails by its own path, though the plugin reads a copy', async () => {
  const dir = createFolder({ 'mcpgw.yaml': 'listen: 127.0.0.1:0\nservers: []\nplugins: [auth]\n' })
  mkdirSync(join(dir, '.mcpgw'), { mode: 0o700 })
  expect(await examine(dir)).toMatchObject({ ok: true })
  expect(readdirSync(join(dir, '.mcpgw'))).toEqual([])
  writeFileSync(join(dir, '.mcpgw/keys.pepper'), Buffer.alloc(32, 7))
  chmodSync(join(dir, '.mcpgw/keys.pepper'), 0o644)
  const { findings } = await examine(dir)
  expect(findings).toMatchObject([{ code: 'plugin-setup', message: expect.stringContaining(`${dir}/.mcpgw/keys.pepper`) }])
  expect(findings[0]?.message).not.toContain('rehearsal')
  expect(readdirSync(join(dir, '.mcpgw'))).toEqual(['keys.pepper'])
})

test('what needs the database is not set up, and that is told; an address beyond loopback fails without who decides', async () => {
  const store = 'store: {url: "postgres://nobody@127.0.0.1:1/none"}\n'
  const dir = createFolder({ 'mcpgw.yaml': `listen: 0.0.0.0:0\nservers: []\n${store}plugins: [audit, redact]\n` })
  const { checks } = await examine(dir)
  expect(checks.find(({ message }) => message.includes('not set up'))?.message).toMatch(/: audit$/)
  expect(checks.find(({ name }) => name === 'listen')).toMatchObject({
    status: 'fail',
    message: expect.stringContaining('no loaded plugin authenticates or decides'),
  })
})

test('plugins that the start takes are ok, with the policies in force', async () => {
  const dir = createFolder({ 'mcpgw.yaml': `listen: 127.0.0.1:0\nservers: []\n${all}`, 'a.policy': good })
  const { checks, findings } = await examine(dir)
  expect(findings).toEqual([])
  expect(checks.find(({ name }) => name === 'plugins')).toMatchObject({ status: 'ok', message: 'audit, auth, policy, redact' })
})
