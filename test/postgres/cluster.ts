// A PostgreSQL cluster of a test's own, in a folder of its own, which may be killed: run by an unprivileged user, as PostgreSQL demands.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'

const DEBIAN = '/usr/lib/postgresql'
const READY_MS = 20_000

function findBinaries(): string | undefined {
  const folders = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(version => join(DEBIAN, version, 'bin')) : []
  return [...folders, ...(process.env.PATH ?? '').split(':')].find(folder => existsSync(join(folder, 'initdb')))
}

export const hasBinaries = (): boolean => findBinaries() !== undefined

export interface Cluster {
  readonly url: string
  start(): Promise<void>
  /** SIGKILL to the server and all that it started. */
  kill(): Promise<void>
  remove(): Promise<void>
}

export async function startCluster(): Promise<Cluster> {
  const bin = findBinaries()
  if (bin === undefined) throw new Error('no PostgreSQL binaries on this machine')
  const user = process.getuid?.() === 0 ? unprivileged() : {}
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-pg-'))
  if (user.uid !== undefined) chownSync(dir, user.uid, user.gid!)
  const data = join(dir, 'data')
  const port = await findFreePort()
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], {
    ...user,
    cwd: dir,
    stdio: 'ignore',
  })
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let running: ChildProcess | undefined

  async function start(): Promise<void> {
    const words = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', dir, '-c', 'shared_buffers=32MB']
    // A group of its own: so all of it can be killed.
    const child = spawn(join(bin!, 'postgres'), words, { ...user, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    running = child
    let said = ''
    child.stderr.on('data', chunk => {
      said = `${said}${chunk}`.slice(-4000)
    })
    const until = performance.now() + READY_MS
    while (!(await isReady(url))) {
      if (child.exitCode !== null || performance.now() > until) throw new Error(`the cluster did not start: ${said}`)
      await sleep(50)
    }
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    const child = running
    running = undefined
    if (child?.pid === undefined || child.exitCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    const pids = signal === 'SIGKILL' ? childrenOf(child.pid) : []
    process.kill(child.pid, signal)
    // Backends are leaders of sessions of their own.
    for (const pid of pids) tryKill(pid)
    await ended
  }

  await start()
  return {
    url,
    start,
    kill: () => stop('SIGKILL'),
    async remove() {
      await stop('SIGINT')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => {
      try {
        return / (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) \S/, ''))?.[1] === String(parent)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** Debian's package makes the user `postgres`; elsewhere `nobody` will do. */
function unprivileged(): { uid?: number; gid?: number } {
  const line = (name: string): string | undefined =>
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find(one => one.startsWith(`${name}:`))
  const [, , uid, gid] = (line('postgres') ?? line('nobody'))!.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

async function isReady(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  )
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer()
    listener.on('error', reject)
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address()
      listener.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
