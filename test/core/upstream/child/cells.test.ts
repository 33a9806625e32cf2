// What a server sees of its cell: nothing of it in its environment, its arguments, its streams or its exit; and what it cannot do from inside.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Cells, createCells } from '../../../../core/upstream/child/cells.ts'
import { findTools, openNamespace } from '../../../../core/upstream/child/namespace.ts'
import { readProcess } from '../../../../core/upstream/child/proc-stat.ts'
import { createStdioTransport } from '../../../../core/upstream/child/stdio.ts'
import { until } from '../../data-plane/gateway.ts'
import { createLogBook, realClock } from '../manual-clock.ts'
import { isRunning, openProbe, type Probe } from './probe.ts'

const isLinux = process.platform === 'linux'
const wishes = ['auto', 'group'] as const
const probes: Probe[] = []
let cells: Cells | undefined

async function start(wish: (typeof wishes)[number], command: string, args: readonly string[], more: object = {}): Promise<Probe> {
  cells ??= createCells(createLogBook().log)
  const { open } = cells
  const probe = await openProbe([], {}, { command, args, openCell: () => open(wish, { processes: 128, files: 512 }), env: {}, ...more })
  probes.push(probe)
  return probe
}
afterEach(async () => {
  await Promise.all(probes.splice(0).map(probe => probe.transport.close()))
  cells?.close()
  cells = undefined
})

async function text(probe: Probe): Promise<unknown> {
  const event = await probe.next()
  return event.kind === 'message' ? JSON.parse(event.text) : event
}

const node = (script: string): [string, string[]] => [process.execPath, ['-e', script]]

describe.skipIf(!isLinux).each(wishes)('a cell (%s)', wish => {
  it('has the environment that was given, to the byte, and nothing beside it (case 40)', async () => {
    const env = { PWD: '/declared', 'odd.name': 'a=b', EMPTY: '', TOKEN: 'for this one' }
    const script = `console.log(JSON.stringify(fs.readFileSync('/proc/self/environ', 'utf8').split('\\0').slice(0, -1)))`
    const lines = await text(await start(wish, ...node(script), { env }))
    expect(lines).toEqual(Object.entries(env).map(([name, value]) => `${name}=${value}`))
  })

  it('gives the arguments and the working directory as they are, without a shell (T50)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpgw cell $(x) '))
    const args = ['; touch x', '$(touch y)', '-C', '--', 'A=b', '', '*', '"\'']
    const script = 'console.log(JSON.stringify({ args: process.argv.slice(1), cwd: process.cwd() }))'
    const probe = await start(wish, process.execPath, ['-e', script, '--', ...args], { cwd: folder })
    expect(await text(probe)).toEqual({ args, cwd: folder })
  })

  it.each([
    ['process.exit(3)', { code: 3, signal: null }],
    ['process.exit(137)', { code: 137, signal: null }],
    [`process.kill(process.pid, 'SIGKILL')`, { code: null, signal: 'SIGKILL' }],
    [`process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)`, { code: null, signal: 'SIGTERM' }],
  ])('tells truly how it ended: %s', async (script, exit) => {
    const probe = await start(wish, ...node(script))
    expect(await probe.next()).toEqual({ kind: 'exit', ...exit })
  })

  it('lets a server end in its own way at SIGTERM, and tells that', async () => {
    const script = `process.on('SIGTERM', () => process.exit(5)); setInterval(() => {}, 1000); console.log('{}')`
    const probe = await start(wish, ...node(script), { limits: { inputMs: 50, termMs: 5000 } })
    await probe.next()
    await probe.transport.close()
    expect(probe.events).toContainEqual({ kind: 'exit', code: 5, signal: null })
  })

  it('says of a program that cannot be started what is said without a cell', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpgw-cell-'))
    const plain = join(folder, 'plain')
    writeFileSync(plain, '', { mode: 0o600 })
    const opened = createCells(createLogBook().log)
    const attempt = (command: string, cwd?: string) =>
      createStdioTransport({
        server: 's',
        command,
        args: [],
        env: {},
        ...(cwd && { cwd }),
        clock: realClock,
        log: createLogBook().log,
        scrub: value => value,
        openCell: () => opened.open(wish, { processes: 128, files: 512 }),
      }).open({ message() {}, failed() {}, closed() {} })
    const detail = (what: string) => ({ code: 'upstream-unavailable', detail: `s: cannot start ${what}` })
    await expect(attempt('no-such-program')).rejects.toEqual(detail('no-such-program: ENOENT'))
    await expect(attempt(plain)).rejects.toEqual(detail(`${plain}: EACCES`))
    await expect(attempt('cat', '/no/such')).rejects.toEqual(detail('cat: ENOENT; the folder /no/such does not exist'))
    opened.close()
  })

  it('dumps no core and has so many open files', async () => {
    const script = `console.log(JSON.stringify(fs.readFileSync('/proc/self/limits', 'utf8').match(/^Max (core|open).*\\d/gm).map(l => l.split(/ {2,}/).slice(0, 3))))`
    const probe = await start(wish, ...node(script))
    expect(await text(probe)).toEqual([
      ['Max core file size', '0', '0'],
      ['Max open files', '512', '512'],
    ])
  })
})

const namespaces = isLinux && (await canOpen())

async function canOpen(): Promise<boolean> {
  const tools = await findTools()
  if ('missing' in tools) return false
  return openNamespace(tools, 0).then(
    async namespace => {
      await namespace.end()
      return true
    },
    () => false,
  )
}

describe.skipIf(!isLinux)('a process group', () => {
  it('has its warden before the server is started, so that no kill of the gateway comes between', async () => {
    cells ??= createCells(createLogBook().log)
    const wardens = (): number =>
      readdirSync('/proc').filter(pid => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('mcpgw-warden\0') && readProcess(Number(pid))?.parent === process.pid
        } catch {
          return false
        }
      }).length
    const cell = await cells.open('group', { processes: 128, files: 512 })
    expect(wardens()).toBe(0)
    const enclosing = cell.enclose({ server: 'x', command: process.execPath, args: [], env: {} })
    await until(() => wardens() === 1)
    await enclosing
    cells.close()
    cells = undefined
    await until(() => wardens() === 0)
  })
})

describe.skipIf(!namespaces)('a PID namespace', () => {
  it('hides every process but its own, and so the environment of other servers (case 40)', async () => {
    const script = `console.log(JSON.stringify(fs.readdirSync('/proc').filter(name => Number(name)).map(Number).filter(pid => pid !== process.pid)))`
    expect(await text(await start('auto', ...node(script)))).toEqual([1])
  })

  it('takes with it what its server leaves behind, however it left, when the server exits', async () => {
    const script = `
      const { spawn } = require('child_process')
      const child = spawn('sleep', ['1234567'], { detached: true, stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } })
      child.once('spawn', () => process.exit(0))`
    const probe = await start('auto', ...node(script))
    await probe.next()
    await probe.transport.close()
    expect(sleepers('1234567')).toEqual([])
  })

  it('keeps no zombie of a child whose parent has gone', async () => {
    const script = `
      const { execFileSync } = require('child_process')
      execFileSync('sh', ['-c', '(sleep 0.1 &) ; exit'], { env: { PATH: '/usr/bin:/bin' } })
      const states = () => fs.readdirSync('/proc').filter(Number).map(pid => { try { return fs.readFileSync('/proc/' + pid + '/stat', 'utf8') } catch { return '' } })
      const look = () => states().some(line => / \\(sleep\\) /.test(line)) ? setTimeout(look, 10) : console.log('{}')
      look()`
    expect(await text(await start('auto', ...node(script)))).toEqual({})
  })

  it('ends with whoever holds it, and its holder with it', async () => {
    const tools = await findTools()
    if ('missing' in tools) throw new Error('tools')
    const namespace = await openNamespace(tools, 0)
    expect(await isRunning(namespace.pid)).toBe(true)
    await namespace.end()
    expect(await isRunning(namespace.pid)).toBe(false)
  })
})

function sleepers(time: string): readonly string[] {
  return readdirSync('/proc').filter(name => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8') === `sleep\0${time}\0`
    } catch {
      return false
    }
  })
}
