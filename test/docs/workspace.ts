// The folder in which the blocks of one page run: a project that has mcpgw installed, and the command on its PATH.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { root } from '../packed-project.ts'

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Workspace {
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>
  remove(): void
}

const LIMIT_MS = 60_000

/** `example`: a folder under examples/, whose files the workspace then starts with. */
export function createWorkspace(example?: string): Workspace {
  const top = mkdtempSync(join(tmpdir(), 'mcpgw-docs-'))
  const dir = join(top, 'examples', example ?? 'page')
  const bin = join(top, 'bin')
  for (const folder of [dir, bin, join(top, 'node_modules')]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(top, 'package.json'), '{"type":"module"}')
  if (example !== undefined) cpSync(join(root, 'examples', example), dir, { recursive: true })
  for (const name of ['mcpgw', 'npm']) symlinkSync(join(root, 'test/docs/bin', `${name}.mjs`), join(bin, name))
  for (const name of ['zod', '@types', '@modelcontextprotocol'])
    symlinkSync(join(root, 'node_modules', name), join(top, 'node_modules', name))
  symlinkSync(root, join(top, 'node_modules/mcpgw'))
  if (example === 'hello-plugin') symlinkSync(dir, join(top, 'node_modules/mcpgw-plugin-hello'))
  // Where the pages of examples expect the clone.
  symlinkSync(join(root, 'dist'), join(top, 'dist'))
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter)
  // A port of its own, so that whatever runs on this machine is in nobody's way.
  const env = { PATH: [bin, path].join(delimiter), REAL_PATH: path, HOME: top, MCPGW_LISTEN: '127.0.0.1:0', NODE_NO_WARNINGS: '1' }

  return {
    dir,
    env,
    run: (command, args, its = env) =>
      new Promise((resolve, reject) => {
        const child = spawn(command, args, { cwd: dir, env: its, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS })
        let out = ''
        let err = ''
        child.stdout.on('data', (chunk: Buffer) => {
          out += chunk.toString()
        })
        child.stderr.on('data', (chunk: Buffer) => {
          err += chunk.toString()
        })
        child.on('error', reject)
        child.on('close', code => resolve({ code, out, err }))
      }),
    remove: () => rmSync(top, { recursive: true, force: true }),
  }
}
