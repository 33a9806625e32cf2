// What the chaos tests ask of the system and of answers: is a process still there, and what did a tool say.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A zombie is not alive: nobody can end it any further. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves once none of them is left; the test's own time limit ends what never does. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise(resolve => setTimeout(resolve, 20))
}

/** Resolves once not even a zombie is left: the system's first process has taken note of the end. */
export async function untilReaped(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await new Promise(resolve => setTimeout(resolve, 20))
}

export function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

/** Processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  return allProcesses().filter(one => parentOf(one) === pid && isAlive(one))
}

/** And theirs. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap(child => [child, ...descendantsOf(child)])
}

/** Those among `pids` in whose command line the words stand; not what only waits for them (`nsenter`). */
export function running(words: string, pids: readonly number[]): number[] {
  return pids.filter(pid => commandOf(pid).includes(words) && !/^\S*nsenter /.test(commandOf(pid)))
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

/** The JSON that a tool of the odd server put into its text. */
export function textOf(message: { result?: { content?: { text?: string }[] } }): unknown {
  const text = message.result?.content?.[0]?.text
  if (text === undefined) throw new Error(`no text in ${JSON.stringify(message)}`)
  return JSON.parse(text)
}
