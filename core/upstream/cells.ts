// Gives each server process a cell: a PID namespace where the kernel lets us make one, else its process group.
import type { Log } from '../plugin/index.ts'
import type { Cell } from './cell.ts'
import { whyNotStartable } from './find-program.ts'
import { createGroupCell } from './group-cell.ts'
import { type Program, spawnFault } from './leader.ts'
import { findTools, type Namespace, openNamespace, type Tools, tryNamespace } from './namespace.ts'
import { readOpenFilesLimit } from './proc-stat.ts'
import { createWarden } from './warden.ts'

export interface Cells {
  /** A cell for one process. The first one finds out what the system gives. */
  open(wish: 'auto' | 'group'): Promise<Cell>
  /** Once all cells have ended. */
  close(): void
}

type Means = { readonly kind: 'namespace'; readonly tools: Tools } | { readonly kind: 'group'; readonly prlimit: string | undefined }

export function createCells(log: Log): Cells {
  const warden = createWarden()
  let means: Promise<Means> | undefined

  async function open(wish: 'auto' | 'group'): Promise<Cell> {
    means ??= findMeans(log)
    const found = await means
    const prlimit = found.kind === 'namespace' ? found.tools.prlimit : found.prlimit
    const enclose = (program: Program, files: number) => wrap(program, limitWords(prlimit, files))
    if (wish === 'group' || found.kind === 'group') return createGroupCell(enclose, warden)
    try {
      return inNamespace(await openNamespace(found.tools), found.tools)
    } catch (error) {
      log.warn('no PID namespace for this process; its process group alone', { why: String(error) })
      return createGroupCell(enclose, warden)
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
    await tryNamespace(tools)
    return { kind: 'namespace', tools }
  } catch (error) {
    log.info('servers run without PID namespaces', { why: error instanceof Error ? error.message : String(error) })
    return { kind: 'group', prlimit: tools.prlimit }
  }
}

function inNamespace(namespace: Namespace, tools: Tools): Cell {
  return {
    isolation: 'namespace',
    holder: namespace.pid,
    // The one that holds it, its first one, and the one that has entered it and waits for the server.
    ownProcesses: 3,
    isLedByUs: true,
    enclose: (program, files) => wrap(program, [...namespace.enter(program.cwd ?? process.cwd()), ...limitWords(tools.prlimit, files)]),
    occupied() {},
    findStrays: () => [],
    end: () => namespace.end(),
  }
}

function limitWords(prlimit: string | undefined, files: number): readonly string[] {
  return prlimit === undefined ? [] : [prlimit, '--core=0', `--nofile=${Math.min(files, readOpenFilesLimit())}`, '--']
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
