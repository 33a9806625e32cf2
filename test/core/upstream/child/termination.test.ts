// Ending a server: asked first, killed if it must be, and nothing it started is left (T51, cases 38 and 42).
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLeftovers, reapLeftovers } from '../../../../core/upstream/child/leftovers.ts'
import { readBootId, readProcess } from '../../../../core/upstream/child/proc-stat.ts'
import { isRunning, oddServer, openProbe, type Probe } from './probe.ts'

async function readPid(probe: Probe): Promise<number> {
  const event = await probe.next()
  return event.kind === 'message' ? Number(JSON.parse(event.text).grandchild) : 0
}

describe('ending a server', () => {
  it('lets a server that ends with its input end by itself', async () => {
    const probe = await openProbe(['echo'], { inputMs: 10_000 })
    await probe.transport.close()
    expect(probe.events).toContainEqual({ kind: 'exit', code: 0, signal: null })
  })

  it('kills a server that ignores the end of its input and SIGTERM', async () => {
    const probe = await openProbe(['stubborn'])
    await probe.next()
    await probe.transport.close()
    expect(probe.events).toContainEqual({ kind: 'exit', code: null, signal: 'SIGKILL' })
  })

  it('leaves no grandchild behind, however stubborn', async () => {
    const probe = await openProbe(['grandchild'])
    const grandchild = await readPid(probe)
    expect(await isRunning(grandchild)).toBe(true)
    await probe.transport.close()
    expect(await isRunning(grandchild)).toBe(false)
    expect(await isRunning(probe.transport.pid!)).toBe(false)
  })

  it('leaves no grandchild behind where the server itself has gone first', async () => {
    const probe = await openProbe(['grandchild', 'and-leave'])
    const grandchild = await readPid(probe)
    await probe.transport.close()
    expect(await isRunning(grandchild)).toBe(false)
  })

  it.skipIf(process.platform === 'win32')('ends a server behind a shell wrapper together with the shell', async () => {
    const script = `"${process.execPath}" "${oddServer}" grandchild & wait`
    const probe = await openProbe([], {}, { command: 'sh', args: ['-c', script], env: { PATH: process.env.PATH ?? '' } })
    const grandchild = await readPid(probe)
    const parent = probe.transport.pid!
    await probe.transport.close()
    expect([await isRunning(parent), await isRunning(grandchild)]).toEqual([false, false])
  })
})

describe('a gateway that ends', () => {
  // Needs the build: a process of its own cannot run the sources on every supported Node.
  const owner = fileURLToPath(new URL('../../../fixtures/owner-of-servers.mjs', import.meta.url))

  async function startOwner(): Promise<{ child: ChildProcess; pids: number[]; folder: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'mcpgw-run-'))
    const child = spawn(process.execPath, [owner, oddServer, folder], { stdio: ['pipe', 'pipe', 'ignore'] })
    const [first] = (await once(child.stdout!, 'data')) as [Buffer]
    return { child, pids: JSON.parse(first.toString()), folder }
  }

  async function areGone(pids: readonly number[]): Promise<boolean> {
    for (let look = 0; look < 200; look++) {
      const running = await Promise.all(pids.map(isRunning))
      if (!running.includes(true)) return true
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return false
  }

  it.each(['exit', 'throw', 'SIGTERM'])('takes stubborn servers and grandchildren with it on %s', async way => {
    const { child, pids } = await startOwner()
    expect(pids).toHaveLength(3)
    child.stdin!.write(`${way}\n`)
    await once(child, 'exit')
    expect(await areGone(pids)).toBe(true)
  })

  it.skipIf(process.platform !== 'linux')('leaves after kill -9 what the next start finds and ends', async () => {
    const { child, pids, folder } = await startOwner()
    expect(reapLeftovers(folder)).toEqual([])
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await isRunning(pids[0]!)).toBe(true)
    expect(new Set(reapLeftovers(folder))).toEqual(new Set([pids[0]!, pids[1]!]))
    expect(await areGone(pids)).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('reaping of leftovers', () => {
  it('spares a process whose start time is not the one noted, and clears the note', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpgw-run-'))
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
    onTestFinished(() => void stranger.kill('SIGKILL'))
    const owner = { pid: 1 << 30, start: '1' }
    const note = { boot: readBootId(), members: [{ pid: stranger.pid, start: '1' }], owner }
    writeFileSync(join(folder, `${stranger.pid}.json`), JSON.stringify(note))
    writeFileSync(join(folder, '7.json'), 'not JSON')
    expect(reapLeftovers(folder)).toEqual([])
    expect(readProcess(stranger.pid!)).toBeDefined()
    expect(readdirSync(folder)).toEqual([])
  })

  it('spares the servers of a gateway that still runs', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpgw-run-'))
    const server = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
    onTestFinished(() => void server.kill('SIGKILL'))
    const leftovers = createLeftovers(folder)
    leftovers.note(server.pid!)
    expect(reapLeftovers(folder)).toEqual([])
    expect(readdirSync(folder)).toEqual([`${server.pid}.json`])
    leftovers.forget(server.pid!)
    expect(readdirSync(folder)).toEqual([])
  })

  it('has nothing to do in a folder that is not there', () => {
    expect(reapLeftovers(join(tmpdir(), 'mcpgw-none', 'run'))).toEqual([])
  })
})
