// The policy verbs beside a config that is broken, on folders, on bytes that are no text, and on the input of a process.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, say } from '../../../core/commands/run-command.ts'
import { files } from './folder.ts'

const main = files['main.policy']!
const policy = (dir: string, ...words: string[]) => say(dir, ['policy', ...words])

describe('files', () => {
  test('a broken config stops nothing that names its files, and is told where it is asked', async () => {
    const dir = createFolder({ 'main.policy': main, 'mcpgw.yaml': 'plugins: [' })
    expect((await policy(dir, 'check', 'main.policy')).code).toBe(0)
    expect((await policy(dir, 'test', 'main.policy')).err).toBe('')
    const asked = await policy(dir, 'check')
    expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('mcpgw.yaml:1')])
  })

  test('without a name those of the config count, else this folder with all below it', async () => {
    const dir = createFolder({
      'main.policy': main,
      'other.policy': 'nonsense',
      'mcpgw.yaml': 'plugins: [policy]\npolicies: [main.policy]\n',
    })
    expect((await policy(dir, 'check')).out).toContain('1 file checked')
    const bare = createFolder({ 'main.policy': main })
    mkdirSync(join(bare, 'a/b'), { recursive: true })
    writeFileSync(join(bare, 'a/b/broken.policy'), 'nonsense')
    expect((await policy(bare, 'check')).out).toContain('2 files checked')
    expect((await policy(bare, 'check', 'a')).out).toContain('a/b/broken.policy:1')
  })

  test('the policies of an older gateway.yaml are checked and tried like files', async () => {
    const dir = createFolder({ 'gateway.yaml': `servers: []\n${files['gateway.yaml']}` })
    expect((await policy(dir, 'check', '--config', 'gateway.yaml')).out).toContain('warning[allow-all]')
    const call = '{"principal":{"id":"r","roles":["reader"]},"call":"crm/get_x"}'
    expect((await policy(dir, 'eval', '--config', 'gateway.yaml', '--call', call)).out).toContain(
      '"decision":"allow","by":["reader-policy-1"]',
    )
  })

  test('the lock stands beside the files, or here, or where --lock says', async () => {
    const dir = createFolder({ 'findings.policy': files['findings.policy']! })
    expect((await policy(dir, 'check', 'findings.policy')).out).toContain('no-lock')
    mkdirSync(join(dir, 'there'))
    writeFileSync(join(dir, 'there/mcpgw.lock.json'), files['mcpgw.lock.json']!)
    writeFileSync(join(dir, 'there/findings.policy'), files['findings.policy']!)
    expect((await policy(dir, 'check', 'there')).out).toContain('unknown-role')
    expect((await policy(dir, 'check', 'there/findings.policy')).out).toContain('unknown-role')
    expect((await policy(dir, 'check', 'findings.policy', '--lock', 'there/mcpgw.lock.json')).out).toContain('unknown-role')
  })

  test('what cannot be read is told by name, and the exit code is 2', async () => {
    const dir = createFolder({})
    mkdirSync(join(dir, 'empty'))
    writeFileSync(join(dir, 'bytes.policy'), Buffer.from([0xff, 0xfe, 0x00]))
    expect(await policy(dir, 'check', 'empty')).toMatchObject({
      code: 2,
      out: '',
      err: 'error[usage]: empty: there are no .policy files in this folder\n',
    })
    expect(await policy(dir, 'check', 'bytes.policy')).toMatchObject({ code: 2, err: 'error[usage]: bytes.policy: not UTF-8\n' })
    expect(await policy(dir, 'check')).toMatchObject({ code: 2 })
    expect(await policy(dir, 'import', 'empty')).toMatchObject({ code: 2, err: 'error[usage]: empty: this is a folder\n' })
  })
})

describe('fmt', () => {
  test('writes a file whole, with its mode, through a link', async () => {
    const dir = createFolder({ 'ugly.policy': 'policy "p" edition 1\nallow a{who any\ncall x/y}\n' })
    chmodSync(join(dir, 'ugly.policy'), 0o640)
    symlinkSync('ugly.policy', join(dir, 'link.policy'))
    expect(await policy(dir, 'fmt', 'link.policy')).toMatchObject({ code: 0, out: 'formatted link.policy\n', err: '' })
    expect(statSync(join(dir, 'ugly.policy')).mode & 0o777).toBe(0o640)
    expect(readFileSync(join(dir, 'ugly.policy'), 'utf8')).toContain('allow a {\n')
    expect((await policy(dir, 'fmt', '--check', 'ugly.policy')).code).toBe(0)
  })

  test('a file with errors stays as it is', async () => {
    const dir = createFolder({ 'broken.policy': files['broken.policy']! })
    expect((await policy(dir, 'fmt', 'broken.policy')).code).toBe(1)
    expect(readFileSync(join(dir, 'broken.policy'), 'utf8')).toBe(files['broken.policy'])
  })
})

test('- is the input of the process', () => {
  const dir = createFolder(files)
  const run = (input: string, ...words: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../../../dist/core/cli.js'), 'policy', ...words], {
      cwd: dir,
      input,
      encoding: 'utf8',
    })
  expect(run('policy "p" edition 1\nallow a{who any\ncall x/y}', 'fmt', '-')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('allow a {\n') as string,
  })
  expect(run('policy p', 'check', '-').stdout).toContain('<stdin>:1')
  expect(run(files['gateway.yaml']!, 'import', '-').stdout).toContain('allow reader-policy-1 {')
  expect(run('{}\n{}', 'eval', 'main.policy', '--calls', '-').stdout.split('\n')).toHaveLength(3)
})
