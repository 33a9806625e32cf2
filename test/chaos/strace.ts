// Whether faults can be injected into, and orders be read from, the system calls of a gateway. With CI set its absence is a failure.
import { spawnSync } from 'node:child_process'

/** strace is there, and may trace what it starts. */
export const hasStrace: boolean = process.platform === 'linux' && spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0
if (!hasStrace) {
  const what = 'no strace, or it may not trace: install strace'
  if (process.env.CI !== undefined) throw new Error(what)
  console.warn(`skipped: ${what}`)
}
