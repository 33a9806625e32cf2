// A server on standard streams for tests: real child processes that are only pipes, scripted in the process of the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildServer } from '../../../core/config/schema.ts'
import { createScript, describe, type Script, type ScriptOptions } from './script.ts'

export interface StdioUpstream extends Script {
  /** Of the processes that run now, oldest first, by number: each is told that it is process 2 or so, where it has a namespace of its own. */
  readonly processes: Map<number, Socket>
  readonly started: number
  /** To every process. */
  tell(text: string): void
  server(id: string, more?: Partial<ChildServer>): ChildServer
  /** All processes die of SIGKILL. */
  kill(): void
  close(): Promise<void>
}

const pipe = fileURLToPath(new URL('../../fixtures/piped-server.mjs', import.meta.url))

export async function startStdioUpstream(options: ScriptOptions = {}): Promise<StdioUpstream> {
  const script = createScript(options)
  const folder = mkdtempSync(join(tmpdir(), 'mcpgw-pipe-'))
  const path = join(folder, 's')
  const processes = new Map<number, Socket>()
  let started = 0

  const server = createServer(socket => {
    let rest = ''
    let number = 0
    socket.setEncoding('utf8')
    socket.on('error', () => {})
    socket.on('close', () => processes.delete(number))
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        if (number === 0) {
          number = ++started
          processes.set(number, socket)
        } else take(line, socket, number)
      }
    })
  })
  await new Promise<void>(resolve => server.listen(path, resolve))

  function take(text: string, socket: Socket, number: number): void {
    const { method, id, message } = describe(text)
    const say = (line: string): void => void (socket.writable && socket.write(`${line}\n`))
    script.take({
      text,
      method,
      id,
      message,
      headers: {},
      session: String(number),
      say,
      answer: say,
      result: json => say(`{"jsonrpc":"2.0","id":${id},"result":${json}}`),
      error: (code, why) => say(`{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":${JSON.stringify(why)}}}`),
    })
  }

  return {
    ...script,
    processes,
    get started() {
      return started
    },
    tell(text: string) {
      for (const socket of processes.values()) socket.write(`${text}\n`)
    },
    server: (id: string, more: Partial<ChildServer> = {}): ChildServer => ({
      kind: 'child',
      id,
      name: id,
      command: process.execPath,
      args: [pipe, path],
      env: {},
      enabled: true,
      shared: false,
      protocol: 'legacy',
      timeout: { startMs: 10_000, callMs: 10_000, idleMs: 0 },
      ...more,
    }),
    kill() {
      for (const socket of processes.values()) socket.destroy()
    },
    async close() {
      for (const socket of processes.values()) socket.destroy()
      await new Promise<void>(resolve => server.close(() => resolve()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
