// A Redis server of a test's own, in a folder of its own, which may be killed, and stopped in its tracks.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'

const READY_MS = 20_000

function isThere(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Where CI runs the tests its absence is a failure of the tests that need it. */
export const hasRedis: boolean = isThere() || process.env.CI !== undefined
if (!hasRedis) console.warn('no redis-server on this machine: the tests that need one are skipped')

export interface RedisServer {
  readonly url: string
  start(): Promise<void>
  /** SIGKILL: what it held is lost. */
  kill(): Promise<void>
  /** Stops it in its tracks: connections stay, nothing is answered. */
  freeze(): void
  thaw(): void
  /** What it answers to somebody else. */
  ask(...words: string[]): Promise<unknown>
  remove(): Promise<void>
}

export interface ServerOptions {
  readonly password?: string
  /** Paths of a certificate and its key: then it speaks TLS only. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

export async function startRedis({ password, tls }: ServerOptions = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-redis-'))
  const port = await findFreePort()
  const ports = tls === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port)]
  const certificate = tls === undefined ? [] : ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-auth-clients', 'no']
  const secret = password === undefined ? [] : ['--requirepass', password]
  const words = ['--bind', '127.0.0.1', ...ports, ...certificate, ...secret, '--save', '', '--appendonly', 'no', '--dir', dir]
  const url = `${tls === undefined ? 'redis' : 'rediss'}://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`
  let running: ChildProcess | undefined

  async function ask(...asked: string[]): Promise<unknown> {
    const socket = { reconnectStrategy: false as const }
    const client = createClient({ url, RESP: 2, socket: tls === undefined ? socket : { ...socket, tls: true, rejectUnauthorized: false } })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.sendCommand(asked)
    } finally {
      if (client.isOpen) client.destroy()
    }
  }

  async function start(): Promise<void> {
    const child = spawn('redis-server', words, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said = `${said}${chunk}`.slice(-2000)))
    child.on('error', error => (said += error.message))
    running = child
    const until = performance.now() + READY_MS
    while (
      !(await ask('PING').then(
        () => true,
        () => false,
      ))
    ) {
      if (child.exitCode !== null || child.pid === undefined || performance.now() > until)
        throw new Error(`redis-server did not start: ${said}`)
      await sleep(20)
    }
  }

  async function kill(): Promise<void> {
    const child = running
    running = undefined
    if (child?.pid === undefined || child.exitCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    url,
    start,
    kill,
    freeze: () => void running?.kill('SIGSTOP'),
    thaw: () => void running?.kill('SIGCONT'),
    ask,
    async remove() {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function findFreePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
