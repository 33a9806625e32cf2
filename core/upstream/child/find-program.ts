// Finds the file of a program as the system would when it starts it.
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/** Absolute path of an executable file: `command` itself where it is a path, else the first in `path` that fits. */
export async function findProgram(command: string, path: string, extensions?: string): Promise<string | undefined> {
  const isPath = /[\\/]/.test(command)
  const folders = isPath ? [''] : path.split(delimiter).filter(folder => isAbsolute(folder))
  const endings = process.platform === 'win32' ? ['', ...(extensions ?? '.EXE;.CMD;.BAT').split(';')] : ['']
  for (const folder of folders) {
    for (const ending of endings) {
      const file = `${folder === '' ? command : join(folder, command)}${ending}`
      if ((await look(file)) === 'runs') return file
    }
  }
  return undefined
}

/** Why the system would refuse to start it, in its own word; undefined where it would not. POSIX alone. */
export async function whyNotStartable(
  command: string,
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<'ENOENT' | 'EACCES' | undefined> {
  if (!(await stat(cwd).catch(() => undefined))?.isDirectory()) return 'ENOENT'
  // Without a PATH the C library has one of its own; an empty folder name is the working directory.
  const folders = command.includes('/') ? [''] : (env.PATH ?? '/bin:/usr/bin').split(':')
  let why: 'ENOENT' | 'EACCES' = 'ENOENT'
  for (const folder of folders) {
    const found = await look(resolve(cwd, folder, command))
    if (found === 'runs') return undefined
    if (found === 'not executable') why = 'EACCES'
  }
  return why
}

async function look(file: string): Promise<'runs' | 'not executable' | undefined> {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return undefined
  if (!found.isFile()) return 'not executable'
  return access(file, constants.X_OK).then(
    () => 'runs' as const,
    () => 'not executable' as const,
  )
}
