// Where secret values come from: files that only the owner can read, or a command; all else is a fault that says what to do.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSecretStore, type SecretFault } from '../../../core/secrets.ts'

let home: string
let dir: string
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'secrets-')))
  dir = join(home, 'secrets')
  mkdirSync(dir, { mode: 0o700 })
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function write(name: string, value: string | Buffer, mode = 0o600): string {
  const path = join(dir, name)
  writeFileSync(path, value)
  chmodSync(path, mode)
  return path
}
const get = (name: string): Promise<string | SecretFault> => createSecretStore({ dir }).get(name)
async function faultOf(answer: Promise<string | SecretFault>): Promise<SecretFault> {
  const fault = await answer
  if (typeof fault === 'string') throw new Error(`got the value ${fault}`)
  return fault
}

describe('a secret in a file', () => {
  it('is its text without the last line end', async () => {
    write('a', 'value')
    write('b', 'value\n')
    write('c', 'two\n\n')
    write('d', 'windows\r\n')
    write('e.f-1', ' ключ ', 0o400)
    expect(await Promise.all(['a', 'b', 'c', 'd', 'e.f-1'].map(get))).toEqual(['value', 'value', 'two\n', 'windows', ' ключ '])
  })

  it.each([0o644, 0o640, 0o660, 0o602, 0o666, 0o610])('is refused with mode %o, and the fault says how to mend it', async mode => {
    const path = write('token', 'hunter2-hunter2', mode)
    const fault = await faultOf(get('token'))
    expect(fault.code).toBe('unsafe-file')
    expect(fault.help).toBe(`Run: chmod 600 ${path}`)
    expect(JSON.stringify(fault)).not.toContain('hunter2')
  })

  it('is refused where others may write to the folder', async () => {
    write('token', 'value')
    chmodSync(dir, 0o770)
    expect(await faultOf(get('token'))).toMatchObject({ code: 'unsafe-file', help: `Run: chmod 700 ${dir}` })
  })

  it.each(['', '.', '..', '../outside', 'a/b', '/etc/passwd', '.hidden', '-rf', 'a b', 'a\0', '$X', '{X}', '**', 'ä', 'x'.repeat(129)])(
    'is never looked for under the name %j',
    async name => {
      writeFileSync(join(home, 'outside'), 'value', { mode: 0o600 })
      expect((await faultOf(get(name))).code).toBe('bad-name')
    },
  )

  it('is refused where a link leads out of the folder, and read where it stays inside', async () => {
    writeFileSync(join(home, 'outside'), 'value', { mode: 0o600 })
    symlinkSync(join(home, 'outside'), join(dir, 'out'))
    mkdirSync(join(home, 'secrets-2'))
    writeFileSync(join(home, 'secrets-2', 'x'), 'value', { mode: 0o600 })
    symlinkSync(join(home, 'secrets-2', 'x'), join(dir, 'beside'))
    mkdirSync(join(dir, '..data'))
    writeFileSync(join(dir, '..data', 'token'), 'mounted', { mode: 0o600 })
    symlinkSync(join('..data', 'token'), join(dir, 'in'))
    symlinkSync('loop', join(dir, 'loop'))
    expect((await faultOf(get('out'))).code).toBe('unsafe-file')
    expect((await faultOf(get('beside'))).code).toBe('unsafe-file')
    expect((await faultOf(get('loop'))).code).toBe('unsafe-file')
    expect(await get('in')).toBe('mounted')
  })

  it('is refused where it is no regular file, without waiting for a writer', async () => {
    mkdirSync(join(dir, 'folder'))
    execFileSync('mkfifo', ['-m', '600', join(dir, 'fifo')])
    expect((await faultOf(get('folder'))).code).toBe('unsafe-file')
    expect((await faultOf(get('fifo'))).code).toBe('unsafe-file')
  })

  it('is refused where it is empty, too long, not UTF-8 or holds a NUL', async () => {
    write('empty', '\n')
    write('long', 'x'.repeat(65_537))
    write('binary', Buffer.from([0xff, 0xfe, 0x41]))
    write('nul', 'a\0b')
    for (const name of ['empty', 'long', 'binary', 'nul']) expect((await faultOf(get(name))).code).toBe('bad-value')
  })

  it('is missing with a fault that says where it belongs', async () => {
    const fault = await faultOf(get('token'))
    expect(fault.code).toBe('not-found')
    expect(fault.help).toContain(join(dir, 'token'))
    expect((await faultOf(createSecretStore({ dir: join(home, 'none') }).get('token'))).code).toBe('not-found')
  })

  it('is read anew each time', async () => {
    write('token', 'old')
    expect(await get('token')).toBe('old')
    write('token', 'new')
    expect(await get('token')).toBe('new')
  })
})

describe('a secret from a command', () => {
  const node = (script: string, timeoutMs?: number) =>
    createSecretStore({ dir, command: [process.execPath, '-e', script, '--'], ...(timeoutMs === undefined ? {} : { timeoutMs }) })

  it('is what the command prints for the name, its last argument', async () => {
    expect(await node('console.log("v:" + process.argv.at(-1))').get('db.password')).toBe('v:db.password')
  })

  it('is asked for without a shell', async () => {
    const store = createSecretStore({ dir, command: [process.execPath, '-p', 'process.argv.slice(1).join("|")', '$(id)', '; true'] })
    expect(await store.get('NAME')).toBe('$(id)|; true|NAME')
  })

  it('is a fault where the command fails, with its last words and nothing of its output', async () => {
    const fault = await faultOf(node('console.log("hunter2"); console.error("not\\u001b[1m logged in"); process.exit(3)').get('token'))
    expect(fault.code).toBe('command-failed')
    expect(fault.problem).toContain('ended with 3 for token: not [1m logged in')
    expect(JSON.stringify(fault)).not.toContain('hunter2')
    expect((await faultOf(createSecretStore({ dir, command: [join(home, 'absent')] }).get('token'))).problem).toContain('ENOENT')
    expect((await faultOf(node('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)').get('token'))).problem).toContain(
      'SIGTERM',
    )
  })

  it('is a fault where the command does not end, and it and its children are killed', async () => {
    const script = `
      const child = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit' })
      require('node:fs').writeFileSync(${JSON.stringify(join(home, 'pids'))}, process.pid + ' ' + child.pid)
      setInterval(() => {}, 1000)`
    expect((await faultOf(node(script, 1_500).get('token'))).problem).toContain('no answer for token within 1500 ms')
    const pids = execFileSync('cat', [join(home, 'pids')])
      .toString()
      .split(' ')
      .map(Number)
    for (const pid of pids) await expect.poll(() => isRunning(pid)).toBe(false)
  })

  it('is a fault where the command floods its output', async () => {
    expect((await faultOf(node('process.stdout.write("x".repeat(10_000_000))').get('token'))).problem).toContain('more than 65536 bytes')
  })
})

/** False for a zombie too: it was killed, only its parent has not asked yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^[ZX]/.test(
      execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
        .toString()
        .trim(),
    )
  } catch {
    return false
  }
}
