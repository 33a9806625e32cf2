// Opens a config file once and hands out what was opened: no second look at a path that somebody may have changed meanwhile.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { mayOthersWrite, strangerOf } from '../plugin/file-mode.ts'
import { type Diagnostic, diagnose, type Text } from './diagnostic.ts'
import { limits } from './tree.ts'

/** `file` is what diagnostics show, `path` what is opened. */
export async function readConfigFile(path: string, file: string): Promise<Text | Diagnostic> {
  const refuse = (code: Diagnostic['code'], message: string, help?: string): Diagnostic =>
    diagnose({ file, text: '' }, undefined, { code, message, help })
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: NodeJS.ErrnoException) => error)
  if (handle instanceof Error) {
    const why = handle.code === 'ENOENT' ? 'no such file' : handle.code === 'EACCES' ? 'no permission to read it' : String(handle.code)
    return refuse('config-not-found', `cannot open the config: ${why}`)
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) return refuse('config-not-a-file', 'the config is not a regular file')
    const stranger = strangerOf(stat)
    if (stranger !== undefined) return refuse('config-strange-owner', `the config ${stranger}`, `chown root ${file}`)
    if (mayOthersWrite(stat)) {
      const who = (stat.mode & 0o002) !== 0 ? 'every user of this machine' : 'everybody in its group'
      return refuse('config-world-writable', `${who} can change the config`, `chmod go-w ${file}`)
    }
    const bytes = new Uint8Array(limits.bytes + 1)
    let size = 0
    for (let read = -1; read !== 0 && size < bytes.length; size += read) {
      read = (await handle.read(bytes, size, bytes.length - size)).bytesRead
    }
    if (size > limits.bytes) return refuse('config-too-large', 'the config is larger than 1 MB')
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, size)) }
  } catch (error) {
    const why =
      error instanceof TypeError ? 'the config is not valid UTF-8' : `cannot read the config: ${(error as NodeJS.ErrnoException).code}`
    return refuse('config-syntax', why)
  } finally {
    await handle.close()
  }
}
