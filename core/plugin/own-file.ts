// Reads a file that the gateway keeps or goes by, through one handle: what is checked is what is read.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { mayOthersRead, mayOthersWrite, modeText, strangerOf } from './file-mode.ts'

export interface OwnFileForm {
  /** Nobody but its owner may read it; of any other nobody else may change it. */
  readonly isSecret: boolean
  /** Where it is a link it is not read. */
  readonly noLink?: boolean
  readonly maxBytes: number
}

/** `unreadable`: the code of Node.js. `odd`: a folder, a pipe or a device. `open`: its mode lets others do what they may not, e.g. `0644`. `strange`: it is neither root's nor ours; `why` goes on after its path. */
export type OwnFile =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'missing' | 'odd' | 'too-long' }
  | { readonly kind: 'open'; readonly mode: string }
  | { readonly kind: 'strange'; readonly why: string }
  | { readonly kind: 'unreadable'; readonly code: string }

export function readOwnFile(path: string, { isSecret, noLink = false, maxBytes }: OwnFileForm): OwnFile {
  let file: number
  try {
    // No pipe is waited for.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (noLink ? (constants.O_NOFOLLOW ?? 0) : 0))
  } catch (error) {
    return failed(error)
  }
  try {
    const about = fstatSync(file)
    if (!about.isFile()) return { kind: 'odd' }
    const stranger = strangerOf(about)
    if (stranger !== undefined) return { kind: 'strange', why: stranger }
    if (isSecret ? mayOthersRead(about) : mayOthersWrite(about)) return { kind: 'open', mode: modeText(about) }
    // One byte past the limit tells that there is more, without reading it.
    const bytes = Buffer.alloc(Math.min(about.size, maxBytes) + 1)
    let size = 0
    for (let read = -1; read !== 0 && size < bytes.length; size += read) read = readSync(file, bytes, size, bytes.length - size, size)
    return size > maxBytes ? { kind: 'too-long' } : { kind: 'read', bytes: bytes.subarray(0, size) }
  } catch (error) {
    return failed(error)
  } finally {
    closeSync(file)
  }
}

function failed(error: unknown): OwnFile {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException
  return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'unreadable', code }
}
