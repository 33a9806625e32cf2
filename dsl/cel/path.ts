// path.within(): whether a path stays inside a directory once its `..` are worked out.
import { bool } from './cel-type.ts'
import { binary, type Overload } from './overload.ts'

/** Parts of an absolute path; undefined for one that is relative, climbs above the root, or that systems read differently. */
function partsOf(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || path.includes('\0') || path.includes('\\')) return undefined
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined
    } else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

/** Links are not followed, and `%2e` is three characters: what opens the path must not decode it. */
function within(path: string, directory: string): boolean | undefined {
  const outer = partsOf(directory)
  if (outer === undefined) return undefined
  const inner = partsOf(path)
  return inner !== undefined && outer.every((part, at) => inner[at] === part)
}

export const pathFunctions: readonly Overload[] = [
  binary('function', 'path.within', ['string', 'string'], bool, (a, b, run) =>
    run.charge((a.length + b.length) >> 2) ? within(a, b) : undefined,
  ),
]
