// Gives each server process a cell: a PID namespace where the kernel lets us make one, else its process group.
import type { ProcessLimits } from '../../config/schema.ts'
import type { Log } from '../../plugin/index.ts'
import type { Cell } from './cell.ts'
import { whyNotStartable } from './find-program.ts'
import { createGroupCell } from './group-cell.ts'
import { type Program, spawnFault } from './leader.ts'
import { findTools, isRoot, type Namespace, openNamespace, type Tools, tryNamespace } from './namespace.ts'
import { readHardLimit } from './proc-stat.ts'
import { chooseTaskLimit, isOwnPidMax, readPidMax, type TaskLimit, tasksFor } from './task-limit.ts'
import { createWarden } from './warden.ts'

export interface Cells {
  /** A cell for one process. The first one finds out what the system gives. */
  open(wish: 'auto' | 'group', limits: CellLimits): Promise<Cell>
  /** Once all cells have ended. */
  close(): void
}

/** What the system itself holds a server to; `processes` as far as it can, with room for the threads of each. */
export type CellLimits = Pick<ProcessLimits, 'processes' | 'files'>

type Means =
  | { readonly kind: 'namespace'; readonly tools: Tools; readonly taskLimit: TaskLimit }
  | { readonly kind: 'group'; readonly prlimit: string | undefined }

export function createCells(log: Log): Cells {
  const warden = createWarden()
  let means: Promise<Means> | undefined

  async function open(wish: 'auto' | 'group', limits: CellLimits): Promise<Cell> {
    means ??= findMeans(log)
    const found = await means
    const prlimit = found.kind === 'namespace' ? found.tools.prlimit : found.prlimit
    const inGroup = (): Cell => createGroupCell(program => wrap(program, limitWords(prlimit, limits)), warden)
    if (wish === 'group' || found.kind === 'group') return inGroup()
    const { tools, taskLimit } = found
    const tasks = tasksFor(limits.processes)
    try {
      const namespace = await openNamespace(tools, taskLimit === 'pid-max' && tasks < readPidMax() ? tasks : 0)
      const words = limitWords(tools.prlimit, limits, taskLimit === 'rlimit' ? tasks : undefined)
      return inNamespace(namespace, words)
    } catch (error) {
      log.warn('no PID namespace for this process; its process group alone', { why: String(error) })
      return inGroup()
    }
  }

  return { open, close: () => warden.close() }
}

async function findMeans(log: Log): Promise<Means> {
  if (process.platform !== 'linux') return { kind: 'group', prlimit: undefined }
  const tools = await findTools()
  if ('missing' in tools) {
    log.info('servers run without PID namespaces', { why: `not installed: ${tools.missing}` })
    return { kind: 'group', prlimit: tools.prlimit }
  }
  try {
    return { kind: 'namespace', tools, taskLimit: await tryTaskLimit(tools) }
  } catch (error) {
    log.info('servers run without PID namespaces', { why: error instanceof Error ? error.message : String(error) })
    return { kind: 'group', prlimit: tools.prlimit }
  }
}

/** Rejects where there is no namespace at all. */
async function tryTaskLimit(tools: Tools): Promise<TaskLimit> {
  const taskLimit = chooseTaskLimit(isRoot())
  const before = readPidMax()
  if (taskLimit === 'pid-max' && before > 1) {
    const isWritten = await tryNamespace(tools, before - 1).then(
      () => true,
      () => false,
    )
    if (isOwnPidMax(before) && isWritten) return taskLimit
  }
  await tryNamespace(tools, 0)
  return taskLimit === 'rlimit' ? taskLimit : 'none'
}

function inNamespace(namespace: Namespace, words: readonly string[]): Cell {
  return {
    isolation: 'namespace',
    holder: namespace.pid,
    // The one that holds it, its first one, and the one that has entered it and waits for the server.
    ownProcesses: 3,
    isLedByUs: true,
    enclose: program => wrap(program, [...namespace.enter(program.cwd ?? process.cwd()), ...words]),
    occupied() {},
    findStrays: () => [],
    end: () => namespace.end(),
  }
}

function limitWords(prlimit: string | undefined, { files }: CellLimits, tasks?: number): readonly string[] {
  if (prlimit === undefined) return []
  const open = Math.min(files, readHardLimit('Max open files'))
  const most = tasks === undefined ? [] : [`--nproc=${Math.min(tasks, readHardLimit('Max processes'))}`]
  return [prlimit, '--core=0', `--nofile=${open}`, ...most, '--']
}

// Invariant: every one of the words starts the next program with the environment it was given, and with no shell.
async function wrap(program: Program, words: readonly string[]): Promise<Program> {
  const [command, ...args] = words
  if (command === undefined) return program
  // Those words would hide why a program cannot be started.
  const why = await whyNotStartable(program.command, program.env, program.cwd ?? process.cwd())
  if (why !== undefined) throw spawnFault(program, why)
  return { ...program, command, args: [...args, program.command, ...program.args] }
}
