// Secrets as files: one a name, readable by nobody else, and never reached through a path that leaves the folder.
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { mayOthersRead, modeText, strangerOf } from '../plugin/file-mode.ts'
import { maxSecretBytes, readValue, type SecretFault, type SecretStore, secretFault } from './value.ts'

const othersWriteMask = process.platform === 'win32' ? 0 : 0o022

export function createFileStore(dir: string): SecretStore {
  return { get: name => readSecretFile(dir, name) }
}

async function readSecretFile(dir: string, name: string): Promise<string | SecretFault> {
  const path = join(dir, name)
  const missing = secretFault(
    'not-found',
    `there is no secret ${name} in ${dir}`,
    `Write the value into ${path} with mode 0600: (umask 077; cat > ${path}).`,
  )
  try {
    const home = await realpath(dir)
    // A folder that others may write lets them put their own file in place of the checked one.
    const about = await stat(home)
    const stranger = strangerOf(about)
    if (stranger !== undefined) return secretFault('unsafe-file', `the folder ${dir} ${stranger}`, `Run: chown root ${dir}`)
    if ((about.mode & othersWriteMask) !== 0) {
      return secretFault('unsafe-file', `others may write to the folder ${dir}`, `Run: chmod 700 ${dir}`)
    }
    const real = await realpath(path)
    // A link inside the folder is how mounted secrets are rotated; one that leads out of it is not ours to read.
    if (!`${dirname(real)}${sep}`.startsWith(`${home}${sep}`)) {
      return secretFault('unsafe-file', `${path} is a link that leads out of the folder`, 'Put the value itself into the folder.')
    }
    // Invariant: what is checked is what is read, by one handle; O_NOFOLLOW as the last step was resolved above.
    const handle = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    try {
      return await readChecked(handle, path)
    } finally {
      await handle.close()
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return missing
    return secretFault(
      'unsafe-file',
      `${path} cannot be read (${code ?? 'unknown error'})`,
      'Check its owner and mode, and that it is a file.',
    )
  }
}

async function readChecked(handle: FileHandle, path: string): Promise<string | SecretFault> {
  const about = await handle.stat()
  if (!about.isFile()) return secretFault('unsafe-file', `${path} is not a regular file`, 'Write the value into a file of that name.')
  const stranger = strangerOf(about)
  if (stranger !== undefined) return secretFault('unsafe-file', `${path} ${stranger}`, `Run: chown root ${path}`)
  if (mayOthersRead(about)) {
    const mode = modeText(about)
    return secretFault('unsafe-file', `${path} has mode ${mode}: others may read or change it`, `Run: chmod 600 ${path}`)
  }
  // One byte past the limit tells that there is more, without reading it.
  const buffer = Buffer.alloc(maxSecretBytes + 1)
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return readValue(buffer.subarray(0, filled), path)
}
