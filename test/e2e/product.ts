// The built product as a process of its own: started, heard until it is ready, asked over HTTP, and ended in any way.
import { type ChildProcess, spawn } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CLI, isBuilt, runCli } from './cli.ts'

export { CLI, isBuilt, runCli }

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface Product {
  readonly pid: number
  /** `http://127.0.0.1:PORT`; empty where HTTP is not served. */
  readonly origin: string
  /** Everything on stderr, and on stdout, so far. */
  said(): string
  wrote(): string
  /** Resolves when stderr shows it; rejects where the process ends first. */
  hears(text: string): Promise<void>
  readonly exited: Promise<Exit>
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and its end. */
  stop(): Promise<Exit>
  readonly child: ChildProcess
}

export interface ProductOptions {
  readonly dir: string
  readonly args?: readonly string[]
  /** Written as mcpgw.yaml into `dir`: JSON is YAML. */
  readonly config?: object
  /** All of the environment but for PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** Runs as this user, to whom `dir` is given; for tests that run as root. */
  readonly uid?: number
}

/** A folder that is removed after the test. */
export function createFolder(files: Readonly<Record<string, string>> = {}): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'mcpgw-product-')))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** `mcpgw run`, ready; on a free port of this machine where `args` say nothing else. Killed after the test if it still runs. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const { dir, args = ['--http', '127.0.0.1:0'], config, env = {}, uid } = options
  mkdirSync(dir, { recursive: true })
  if (config !== undefined) writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config, null, 2))
  if (uid !== undefined) chownSync(dir, uid, uid)
  const child = spawn(process.execPath, [CLI, 'run', ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  let wrote = ''
  const waiting = new Set<() => void>()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
    for (const look of waiting) look()
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    wrote += text
  })
  child.stdin.on('error', () => {})
  const exited = new Promise<Exit>(resolve => child.once('close', (code, signal) => resolve({ code, signal })))
  const hears = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!said.includes(text)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      void exited.then(({ code }) => reject(new Error(`ended with ${code} and never said "${text}":\n${said}`)))
      look()
    })
  await hears('ready in')
  return {
    pid: child.pid ?? 0,
    origin: /^endpoint +(http:\S+)\/mcp$/m.exec(said)?.[1] ?? '',
    said: () => said,
    wrote: () => wrote,
    hears,
    exited,
    signal: name => void child.kill(name),
    async stop() {
      child.kill('SIGTERM')
      return exited
    },
    child,
  }
}

export interface ShownServer {
  readonly server: string
  readonly version?: string
  readonly instance?: number
  readonly state: string
  readonly pids: readonly number[]
  readonly restarts: number
  readonly isolation?: string
  readonly lastFailure?: string
}

export interface ShownHealth {
  readonly status: string
  readonly components: readonly { readonly name: string; readonly status: string; readonly why?: string }[]
  readonly servers: readonly ShownServer[]
}

export async function readHealth(origin: string): Promise<ShownHealth> {
  return (await (await fetch(`${origin}/healthz`)).json()) as ShownHealth
}

/** Looks until it holds; the test's own time limit ends what never does. */
export async function untilHealth(origin: string, holds: (health: ShownHealth) => boolean): Promise<ShownHealth> {
  for (;;) {
    const health = await readHealth(origin)
    if (holds(health)) return health
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export function serverIn(health: ShownHealth, id: string): ShownServer {
  const found = health.servers.find(one => one.server === id)
  if (found === undefined) throw new Error(`health shows no server ${id}`)
  return found
}
