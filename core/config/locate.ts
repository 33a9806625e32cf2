// Where the config comes from: a flag, a variable, a file of the working directory, or nowhere.
import { lstat } from 'node:fs/promises'
import { resolve } from 'node:path'

export interface Located {
  readonly path: string
  /** As people wrote it, for messages. */
  readonly file: string
  readonly origin: string
}

export type Environment = Readonly<Record<string, string | undefined>>

export async function locateConfig(flag: string | undefined, env: Environment, cwd: string): Promise<Located | undefined> {
  const named = (file: string | undefined, origin: string): Located | undefined =>
    file === undefined || file === '' ? undefined : { path: resolve(cwd, file), file, origin }
  const given = named(flag, '--config') ?? named(env.MCPGW_CONFIG, 'MCPGW_CONFIG') ?? named(env.MCP_GATEWAY_CONFIG, 'MCP_GATEWAY_CONFIG')
  if (given !== undefined) return given
  for (const file of ['mcpgw.yaml', 'gateway.yaml']) {
    const path = resolve(cwd, file)
    // Anything but "no such file" is for the reader to report: a config that cannot be read is not an absent one.
    const absent = await lstat(path).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    )
    if (!absent) return { path, file, origin: 'working directory' }
  }
  return undefined
}
