// Starts the built gateway as a user would, over HTTP or stdio, in a folder of its own, and keeps what it says on stderr.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { RemoteEntry, ServerEntry } from './servers.ts'

export const CLI = fileURLToPath(new URL('../../dist/core/cli.js', import.meta.url))
export const gatewayIsBuilt: boolean = existsSync(CLI)

export interface GatewayOptions {
  /** An empty folder: config, data and working directory. */
  readonly dir: string
  readonly stdio: boolean
  /** The servers of an `mcpServers` JSON, or a whole `mcpgw.yaml` as an object; the address is given by `--http`. */
  readonly mcpJson?: Readonly<Record<string, ServerEntry | RemoteEntry>>
  readonly config?: Readonly<Record<string, unknown>>
  /** More of the command line, such as `--plugin audit`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Gateway {
  /** MCP endpoint; empty over stdio. */
  readonly url: string
  /** Everything written to stderr so far. */
  readonly stderr: () => string
  /** Connects the client; over stdio this starts the process, so it can be done once. */
  connect(client: Client): Promise<void>
  stop(): Promise<void>
}

const READY_WITHIN_MS = 20_000
const POLL_MS = 20
const KILL_AFTER_MS = 5000

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  mkdirSync(options.dir, { recursive: true })
  return options.stdio ? prepareStdio(options) : startHttp(options)
}

function prepareStdio(options: GatewayOptions): Gateway {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [CLI, 'run', '--stdio', ...fileArgs(options), ...(options.args ?? [])],
    cwd: options.dir,
    stderr: 'pipe',
    ...(options.env && { env: { PATH: process.env.PATH ?? '', ...options.env } }),
  })
  let said = ''
  transport.stderr?.on('data', (chunk: Buffer) => {
    said += chunk
  })
  return {
    url: '',
    stderr: () => said,
    connect: client => connectOr(client, transport, () => said),
    stop: () => transport.close(),
  }
}

async function startHttp(options: GatewayOptions): Promise<Gateway> {
  const port = await findFreePort()
  const args = [CLI, 'run', '--http', `127.0.0.1:${port}`, ...fileArgs(options), ...(options.args ?? [])]
  const child = spawn(process.execPath, args, {
    cwd: options.dir,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const url = `http://127.0.0.1:${port}/mcp`
  await waitUntilReady(child, `http://127.0.0.1:${port}/readyz`, () => said)
  return {
    url,
    stderr: () => said,
    // The SDK's transport types do not allow for exactOptionalPropertyTypes.
    connect: client => connectOr(client, new StreamableHTTPClientTransport(new URL(url)) as Transport, () => said),
    stop: () => endProcess(child),
  }
}

function fileArgs({ dir, mcpJson, config }: GatewayOptions): string[] {
  const args: string[] = []
  if (mcpJson !== undefined) {
    const file = join(dir, 'mcp.json')
    writeFileSync(file, JSON.stringify({ mcpServers: mcpJson }, null, 2))
    args.push('--mcp-json', file)
  }
  if (config !== undefined) {
    const file = join(dir, 'mcpgw.yaml')
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config, null, 2))
    args.push('--config', file)
  }
  return args
}

async function connectOr(client: Client, transport: Transport, stderr: () => string): Promise<void> {
  try {
    await client.connect(transport)
  } catch (error) {
    throw new Error(`no session with the gateway: ${String(error)}\n${stderr()}`, { cause: error })
  }
}

async function waitUntilReady(child: ChildProcess, url: string, stderr: () => string): Promise<void> {
  for (const until = performance.now() + READY_WITHIN_MS; performance.now() < until; await sleep(POLL_MS)) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}:\n${stderr()}`)
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
  }
  await endProcess(child)
  throw new Error(`the gateway did not get ready:\n${stderr()}`)
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}

export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
