// Starts the process of a server as the leader of its own group, and says in words how that failed or how it ended.
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TransportFault } from '../transport.ts'

export interface Program {
  /** The configured id of the server. */
  readonly server: string
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the child (`childEnvironment`). */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
}

export function spawnLeader(program: Program): ChildProcessWithoutNullStreams {
  // Invariant: no shell, so nothing in command or args is ever interpreted; the name comes from configuration alone.
  return spawn(program.command, [...program.args], {
    shell: false,
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: program.env,
    cwd: program.cwd,
  })
}

/** `error` may be the system's word for it. */
export function spawnFault(program: Program, error: unknown): TransportFault {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error)
  const missing = program.cwd !== undefined && !existsSync(program.cwd) ? `; the folder ${program.cwd} does not exist` : ''
  return { code: 'upstream-unavailable', detail: `${program.server}: cannot start ${program.command}: ${code}${missing}` }
}

export function crashFault(server: string, child: ChildProcess, outputEnded: boolean): TransportFault {
  const { exitCode: code, signalCode: signal } = child
  const closing = `closed its standard ${outputEnded ? 'output' : 'input'}`
  const how = signal !== null ? `was ended by ${signal}` : code !== null ? `exited with code ${code}` : closing
  return { code: 'upstream-crashed', detail: `${server}: ${how}` }
}
