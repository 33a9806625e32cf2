// Whether faults can be injected into, and orders be read from, the system calls of a gateway. With CI set its absence is a failure.
import { spawn, spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'

/** strace is there, and may trace what it starts. */
export const hasStrace: boolean = process.platform === 'linux' && spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0
if (!hasStrace) {
  const what = 'no strace, or it may not trace: install strace'
  if (process.env.CI !== undefined) throw new Error(what)
  console.warn(`skipped: ${what}`)
}

/** Does to a running process what `inject` says (strace -e inject=…), in all of its threads. Resolves, once it is in force, to what ends it. */
export async function inject(pid: number, inject: string): Promise<() => Promise<void>> {
  const calls = inject.split(':')[0]!
  const args = ['-f', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${inject}`, '-p', String(pid)]
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>(resolve => strace.once('close', () => resolve()))
  const end = async (): Promise<void> => {
    strace.kill('SIGINT')
    await ended
  }
  onTestFinished(end)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes(' attached')) resolve()
    })
    void ended.then(() => reject(new Error(`strace ended: ${said}`)))
  })
  return end
}
