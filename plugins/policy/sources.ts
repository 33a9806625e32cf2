// Policy files on disk: a file as it is, a folder as all `.policy` files in it, in the order of their paths.
import { constants, type Dirent } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { type FileOwnership, mayOthersWrite, strangerOf } from 'mcpgw/plugin'
import type { Source } from 'mcpgw/policy'

export interface ReadSources {
  readonly sources: readonly Source[]
  /** What could not be read. */
  readonly problems: readonly string[]
}

const MAX_BYTES = 16 * 1024 * 1024

/**
 * `base`: the folder that paths start from; names in findings are relative to it where they lie in it, and no link leads out of it: what is
 * wrong with a text is told with the text. `isInForce`: what is read decides over calls, so nobody but its owner may change it.
 */
export async function readSources(paths: readonly string[], base: string, isInForce = false): Promise<ReadSources> {
  const problems: string[] = []
  const files = new Map<string, string | undefined>()
  for (const path of paths) {
    try {
      const start = resolve(base, path)
      const root = await rootOf(start, base)
      for (const file of await filesAt(start)) if (!files.has(file)) files.set(file, root)
    } catch (error) {
      problems.push(`${path}: ${reasonOf(error)}`)
    }
  }
  const sources: Source[] = []
  for (const [path, root] of files) {
    const file = nameIn(base, path)
    try {
      const { bytes, about } = await readWhole(path, root)
      const stranger = isInForce ? strangerOf(about) : undefined
      if (stranger !== undefined) problems.push(`${file}: ${stranger}. Run: chown root ${file}`)
      else if (isInForce && mayOthersWrite(about)) problems.push(`${file}: others than its owner may change it. Run: chmod go-w ${file}`)
      else sources.push({ file, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) })
    } catch (error) {
      problems.push(`${file}: ${error instanceof TypeError ? 'not UTF-8' : reasonOf(error)}`)
    }
  }
  return { sources, problems }
}

/** Where what is found at `path` has to lie: in `base`, or in the folder that was named elsewhere. A file that was named elsewhere is as it was named. */
async function rootOf(path: string, base: string): Promise<string | undefined> {
  if (isWithin(path, resolve(base))) return await realpath(base)
  return (await stat(path)).isDirectory() ? await realpath(path) : undefined
}

/** Invariant: what is looked at is what is read, by one handle; O_NOFOLLOW as the last step was resolved before. */
async function readWhole(path: string, root: string | undefined): Promise<{ readonly bytes: Uint8Array; readonly about: FileOwnership }> {
  const real = await realpath(path)
  if (root !== undefined && !isWithin(real, root))
    throw new Error(`a link that leads out of ${root}. Name the file itself, or its folder, by its whole path`)
  const handle = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const about = await handle.stat()
    if (!about.isFile()) throw new Error('not a regular file')
    if (about.size > MAX_BYTES) throw new Error(`longer than ${MAX_BYTES} bytes`)
    return { about, bytes: await handle.readFile() }
  } finally {
    await handle.close()
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

/** Changes whenever a file comes, goes or is written: cheap enough to ask twice a second. */
export async function stampOf(paths: readonly string[], base: string): Promise<string> {
  const parts: string[] = []
  for (const path of paths) {
    try {
      for (const file of await filesAt(resolve(base, path))) {
        const { mtimeMs, ctimeMs, size, ino } = await stat(file)
        parts.push(`${file} ${mtimeMs} ${ctimeMs} ${size} ${ino}`)
      }
    } catch (error) {
      parts.push(`${path} ${reasonOf(error)}`)
    }
  }
  return parts.join('\n')
}

/** Links are followed, each folder once. A file that is reached twice, as in a mounted ConfigMap, is one, under the shortest of its paths. */
async function filesAt(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const found = new Map<string, string>()
  const seen = new Set<string>()
  const folders = [path]
  for (const folder of folders) {
    const real = await realpath(folder)
    if (seen.has(real)) continue
    seen.add(real)
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const inner = join(folder, entry.name)
      if (await isFolder(inner, entry)) folders.push(inner)
      else if (entry.name.endsWith('.policy')) {
        // A link that leads nowhere is told where it is read.
        const file = await realpath(inner).catch(() => inner)
        const known = found.get(file)
        if (known === undefined || isShorter(inner, known)) found.set(file, inner)
      }
    }
  }
  return [...found.values()].sort()
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  return stat(path).then(
    it => it.isDirectory(),
    () => false,
  )
}

function isShorter(a: string, b: string): boolean {
  return a.length !== b.length ? a.length < b.length : a < b
}

function nameIn(base: string, path: string): string {
  const name = relative(base, path)
  return name.startsWith('..') ? path : name
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'no permission to read it'
  return error instanceof Error ? error.message : String(error)
}
