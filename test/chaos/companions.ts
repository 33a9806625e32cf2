// Clients in processes of their own that tell what becomes of them, each line of their output one object; and what a process takes meanwhile.
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** Of `steady-client.mjs`: since it was last asked; milliseconds. */
export interface Calls {
  readonly calls: number
  readonly failures: number
  readonly p50: number
  readonly p99: number
}

export interface Companion {
  readonly child: ChildProcess
  last(): unknown
  next(): Promise<unknown>
}

/** `script`: a program beside this file. Killed after the test. */
export function startCompanion(script: string, ...words: (string | number)[]): Companion {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [path, ...words.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let rest = ''
  let last: unknown
  let tell: (told: unknown) => void = () => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      last = JSON.parse(line)
      tell(last)
    }
  })
  return { child, last: () => last, next: () => new Promise(resolve => (tell = resolve)) }
}

/** Asks for a line, and waits for it. */
export function ask({ child, next }: Companion): Promise<unknown> {
  const told = next()
  child.stdin?.write('\n')
  return told
}

/** MiB. */
export const rssOf = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
