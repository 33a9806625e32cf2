// Stores for a rehearsal: plugins find the files that they would read, and write to copies alone. Databases begin empty; those of others are not there.
import { closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import type { Stores } from '../plugin/index.ts'
import { createStores } from './index.ts'

export interface RehearsalStores extends Stores {
  /** Whether somebody has wanted the database since this was asked last. */
  wasAsked(): boolean
  /** With the paths of the files themselves in place of those of the copies. */
  tell(text: string): string
  remove(): void
}

const SQLITE = 'SQLite format 3\0'
const MAX_COPIED = 8 * 1024 * 1024

/** `url`: there is a database, which is not used. What is copied, keys too, stays in the data directory where there is one. */
export function createRehearsalStores({ dir, url }: { readonly dir: string; readonly url?: string | undefined }): RehearsalStores {
  const real = createStores({ dataDir: dir })
  const folder = makeFolder(dir)
  const stores = createStores({ dataDir: folder })
  let asked = false

  function resolve(path: string): string {
    if (path === ':memory:' || path.startsWith(`${folder}${sep}`)) return path
    const from = real.resolve(path)
    const to = join(folder, from)
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
    // What is named after it lies beside it: keys of a log, for one.
    const beside = existsSync(dirname(from)) ? readdirSync(dirname(from)) : []
    for (const name of beside)
      if (name === basename(from) || name.startsWith(`${basename(from)}.`)) copy(join(dirname(from), name), join(dirname(to), name))
    return to
  }

  return {
    resolve,
    open: (path, options) => stores.open(resolve(path), options),
    writer: (path, options) => stores.writer(resolve(path), options),
    createPrivate: (path, content) => stores.createPrivate(resolve(path), content),
    key: path => stores.key(resolve(path)),
    postgres() {
      if (url === undefined) return undefined
      asked = true
      throw new Error('a rehearsal has no database')
    },
    redis: () => undefined,
    wasAsked() {
      const was = asked
      asked = false
      return was
    },
    tell: text => text.replaceAll(folder, ''),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function makeFolder(dir: string): string {
  try {
    if (existsSync(dir)) return mkdtempSync(join(dir, 'rehearsal-'))
  } catch {
    // Not for us to write in: that is another finding.
  }
  return mkdtempSync(join(tmpdir(), 'mcpgw-rehearsal-'))
}

function copy(from: string, to: string): void {
  if (existsSync(to)) return
  const about = statSync(from, { throwIfNoEntry: false })
  if (about?.isDirectory() === true) mkdirSync(to, { mode: 0o700 })
  if (about?.isFile() !== true || about.size > MAX_COPIED || isDatabase(from)) return
  // With its mode, which plugins look at.
  copyFileSync(from, to)
}

function isDatabase(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(SQLITE.length)
    readSync(file, head, 0, head.length, 0)
    return head.toString('latin1') === SQLITE || path.endsWith('-wal') || path.endsWith('-shm')
  } finally {
    closeSync(file)
  }
}
