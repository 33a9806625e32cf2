// A PID namespace for one server: whatever runs in it is ended by the kernel with its first process, however it tried to get away.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { findProgram } from './find-program.ts'
import { forgetGroup, signalGroup, trackGroup } from './process-group.ts'
import { PID_MAX_FILE } from './task-limit.ts'

/** Absolute paths, so that no PATH of a server's configuration chooses among them. */
export interface Tools {
  readonly unshare: string
  readonly nsenter: string
  readonly env: string
  readonly cat: string
  readonly sh: string
  readonly prlimit: string
}

export interface Namespace {
  /** Holds it from outside, and leads a process group that ends with it. */
  readonly pid: number
  /** The words before a command that make it run inside, in the working directory. */
  enter(cwd: string): readonly [string, ...string[]]
  /** Resolves once nothing is left in it. */
  end(): Promise<void>
}

const patienceMs = 5000
const WITH_PID_MAX = `echo "$1" > ${PID_MAX_FILE} && shift && exec "$@"`

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** What is not installed is named. */
export async function findTools(): Promise<Tools | { readonly missing: string; readonly prlimit: string | undefined }> {
  const path = process.env.PATH ?? ''
  const find = async (name: string): Promise<string> => (await findProgram(name, path)) ?? ''
  const [unshare = '', nsenter = '', env = '', cat = '', sh = '', prlimit = ''] = await Promise.all(
    ['unshare', 'nsenter', 'env', 'cat', 'sh', 'prlimit'].map(find),
  )
  const tools = { unshare, nsenter, env, cat, sh, prlimit }
  const missing = Object.entries(tools).filter(([, file]) => file === '')
  return missing.length > 0 ? { missing: missing.map(([name]) => name).join(', '), prlimit: prlimit || undefined } : tools
}

/** `pidMax` is written into the namespace; 0 = left as it is. Rejects where the kernel, or whoever confines us, refuses. */
export async function openNamespace(tools: Tools, pidMax: number): Promise<Namespace> {
  // Root has the right; anyone else has it in a user namespace, in which he stays who he is.
  const asUser = !isRoot()
  // Invariant: the first process of a namespace only reads its input, of which nobody but us has the other end: however we end, it ends,
  // and with it the kernel ends all the others. Signals from inside do not reach it; with SIGCHLD ignored it leaves no zombie.
  const reader = [tools.env, '--ignore-signal=CHLD', tools.cat]
  const first = pidMax > 0 ? [tools.sh, '-c', WITH_PID_MAX, 'sh', String(pidMax), ...reader] : reader
  const own = ['--pid', '--mount', '--propagation', 'slave', '--mount-proc', '--fork', '--kill-child']
  const child = spawn(tools.unshare, [...(asUser ? ['--user', '--map-current-user'] : []), ...own, '--', ...first], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {},
    cwd: '/',
  })
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
  const exited = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const pid = await answer(child, exited)
  trackGroup(pid)
  void exited.then(() => forgetGroup(pid))
  child.stdout.destroy()
  child.stderr.destroy()
  child.unref()
  return {
    pid,
    enter: cwd => [
      tools.nsenter,
      ...(asUser ? [`--user=/proc/${pid}/ns/user`, '--preserve-credentials'] : []),
      `--pid=/proc/${pid}/ns/pid_for_children`,
      `--mount=/proc/${pid}/ns/mnt`,
      '--',
      // Entering a mount namespace leaves one at its root.
      tools.env,
      '-C',
      cwd,
    ],
    async end() {
      child.ref()
      child.stdin.destroy()
      const late = setTimeout(() => signalGroup(pid, 'SIGKILL'), patienceMs / 5)
      await exited
      clearTimeout(late)
    },
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** What we say comes back once the first process runs. */
async function answer(child: Child, exited: Promise<void>): Promise<number> {
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500)
  })
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  child.stdin.write('\n')
  const isUp = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)])
  clearTimeout(late)
  if (isUp && child.pid !== undefined) return child.pid
  throw new Error(complaint.split('\n')[0] || 'it does not answer')
}

/** Whether a command runs inside to its end, and ends as it should. */
export async function tryNamespace(tools: Tools, pidMax: number): Promise<void> {
  const namespace = await openNamespace(tools, pidMax)
  try {
    const [command, ...args] = [...namespace.enter('/'), tools.prlimit, '--core=0', '--', tools.cat, '/proc/self/comm']
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: {}, cwd: '/', timeout: patienceMs })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, 500)
    })
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new Error(complaint.split('\n')[0] || `a trial ended with ${code}`)
  } finally {
    await namespace.end()
  }
}
