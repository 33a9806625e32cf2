// Reads a file that the config names: no link leads it out of the folder of the config, and nobody else may change it, or read what is secret.
import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { mayOthersRead, mayOthersWrite, modeText, strangerOf } from '../plugin/file-mode.ts'

export interface NamedFile {
  /** Absolute. */
  readonly path: string
  /** A path that begins in this folder must end in it, whatever links there are; one that names another place is the config's own word. */
  readonly root: string
  /** Nobody but its owner may read it. */
  readonly secret: boolean
  /** 1 MB where it is left out. */
  readonly maxBytes?: number
}

/** Why a file cannot be used; the message names it. */
export class NamedFileFault extends Error {
  readonly help: string | undefined

  constructor(message: string, help?: string) {
    super(message)
    this.name = 'NamedFileFault'
    this.help = help
  }
}

const MEGABYTE = 1024 * 1024

/** Rejects with a NamedFileFault. */
export async function readNamedFile(file: NamedFile): Promise<Buffer> {
  const { path } = file
  try {
    const real = await realpath(path)
    if (within(resolve(path), resolve(file.root)) && !within(real, await realpath(file.root)))
      throw new NamedFileFault(`${path} is a link that leads out of the folder of the config`, 'name the file itself, by its whole path')
    // Invariant: what is checked is what is read, by one handle; O_NOFOLLOW as the last step was resolved above.
    const handle = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    try {
      return await readChecked(handle, file)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof NamedFileFault) throw error
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : code === 'EACCES' ? 'no permission to read it' : String(code)
    throw new NamedFileFault(`cannot read ${path}: ${why}`)
  }
}

async function readChecked(handle: FileHandle, { path, secret, maxBytes = MEGABYTE }: NamedFile): Promise<Buffer> {
  const about = await handle.stat()
  if (!about.isFile()) throw new NamedFileFault(`${path} is not a regular file`)
  const stranger = strangerOf(about)
  if (stranger !== undefined) throw new NamedFileFault(`${path} ${stranger}`, `chown root ${path}`)
  const mode = modeText(about)
  if (secret && mayOthersRead(about))
    throw new NamedFileFault(`${path} has mode ${mode}: others may read or change it`, `chmod 600 ${path}`)
  if (mayOthersWrite(about)) throw new NamedFileFault(`${path} has mode ${mode}: others may change it`, `chmod go-w ${path}`)
  const tooLarge = new NamedFileFault(`${path} is larger than ${maxBytes / MEGABYTE} MB`)
  if (about.size > maxBytes) throw tooLarge
  const bytes = Buffer.alloc(Math.min(maxBytes, about.size + MEGABYTE) + 1)
  let size = 0
  for (let read = -1; read !== 0 && size < bytes.length; size += read) {
    read = (await handle.read(bytes, size, bytes.length - size, size)).bytesRead
  }
  if (size > maxBytes || size === bytes.length) throw tooLarge
  return bytes.subarray(0, size)
}

function within(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}
