// The command line of the built product; for tests, and for programs that run without a test runner.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const CLI: string = fileURLToPath(new URL('../../dist/core/cli.js', import.meta.url))
export const isBuilt: boolean = existsSync(CLI)

/** One command line to its end. */
export function runCli(
  words: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  })
  return { code: status, out: stdout, err: stderr }
}
