// Secrets from a command (a password manager, a vault client): asked by name, without a shell, for a bounded time and size.
import { spawn } from 'node:child_process'
import { maxSecretBytes, readValue, type SecretFault, type SecretStore, secretFault } from './value.ts'

/** The command has the operator's own environment: it is his tool and needs his session. Servers never get it. */
export function createCommandStore(program: string, args: readonly string[], timeoutMs: number): SecretStore {
  return { get: name => ask(program, [...args, name], name, timeoutMs) }
}

function ask(program: string, args: readonly string[], name: string, timeoutMs: number): Promise<string | SecretFault> {
  return new Promise(resolve => {
    // A group of its own, so that whatever the command started dies with it.
    const grouped = process.platform !== 'win32'
    const child = spawn(program, args, { shell: false, detached: grouped, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    const chunks: Buffer[] = []
    let size = 0
    let complaint = ''

    const settle = (answer: string | SecretFault): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    const giveUp = (problem: string, help: string): void => {
      endGroup(child.pid, grouped, () => child.kill('SIGKILL'))
      child.stdout.destroy()
      child.stderr.destroy()
      settle(secretFault('command-failed', problem, help))
    }
    const timer = setTimeout(() => {
      giveUp(`${program} gave no answer for ${name} within ${timeoutMs} ms`, 'Run it by hand: it may be waiting for a login.')
    }, timeoutMs)

    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxSecretBytes) giveUp(`${program} printed more than ${maxSecretBytes} bytes for ${name}`, 'Let it print the bare value.')
      else chunks.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-2048)
    })
    child.on('error', error => {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
      settle(secretFault('command-failed', `${program} cannot be started (${code})`, 'Check secrets.command and the PATH of the gateway.'))
    })
    child.on('close', (exit, signal) => {
      if (exit === 0) return settle(readValue(Buffer.concat(chunks), `${program} for ${name}`))
      const how = signal === null ? `ended with ${exit}` : `was ended by ${signal}`
      settle(
        secretFault(
          'command-failed',
          `${program} ${how} for ${name}${lastLine(complaint)}`,
          `Run the command by hand, with ${name} as its last argument.`,
        ),
      )
    })
  })
}

function endGroup(pid: number | undefined, grouped: boolean, otherwise: () => void): void {
  if (!grouped || pid === undefined) return otherwise()
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    otherwise()
  }
}

/** What the command itself said last, fit for one line of a log. */
function lastLine(text: string): string {
  const line =
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/\p{Cc}/gu, ' ')
      .trim() ?? ''
  return line === '' ? '' : `: ${line.slice(0, 200)}`
}
