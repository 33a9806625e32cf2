// In a namespace a process of ours holds the server's pipes too, so that their ends do not tell when the server closes them: this looks who else has them.
import { readdirSync, readlinkSync } from 'node:fs'
import type { ProcessStat } from './proc-stat.ts'

export interface PipeWatch {
  /** Which of the two a server had and nobody in its tree has any more; `isUp`: it has answered, so it had both. */
  findClosed(tree: readonly ProcessStat[], isUp: boolean): 'input' | 'output' | undefined
}

type Pipe = { readonly name: 'input' | 'output'; readonly link: string | undefined; at: string | undefined }

/** `ours` has both as its own input and output, and stays as long as the server. */
export function watchPipes(ours: number): PipeWatch {
  const pipes: readonly Pipe[] = [
    { name: 'output', link: readLink(`/proc/${ours}/fd/1`), at: undefined },
    { name: 'input', link: readLink(`/proc/${ours}/fd/0`), at: undefined },
  ]

  function isClosed(pipe: Pipe, tree: readonly ProcessStat[], isUp: boolean): boolean {
    const { at, link } = pipe
    if (link === undefined || (at !== undefined && readLink(at) === link)) return false
    const found = findHolder(link, ours, tree)
    if (found.kind === 'unknown') return false
    if (found.kind === 'held') pipe.at = found.at
    // Before it was seen anywhere, the server may not have been started yet.
    return found.kind === 'free' && (isUp || at !== undefined)
  }

  return { findClosed: (tree, isUp) => pipes.find(pipe => isClosed(pipe, tree, isUp))?.name }
}

type Holder = { readonly kind: 'held'; readonly at: string } | { readonly kind: 'free' } | { readonly kind: 'unknown' }

function findHolder(link: string, ours: number, tree: readonly ProcessStat[]): Holder {
  for (const { pid } of tree) {
    if (pid === ours) continue
    try {
      const at = readdirSync(`/proc/${pid}/fd`).find(fd => readLink(`/proc/${pid}/fd/${fd}`) === link)
      if (at !== undefined) return { kind: 'held', at: `/proc/${pid}/fd/${at}` }
    } catch (error) {
      // One that we may not look into may have it; one that is gone has not.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return { kind: 'unknown' }
    }
  }
  return { kind: 'free' }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
