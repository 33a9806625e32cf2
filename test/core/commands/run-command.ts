// Runs a command line in this process and gathers what it says.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { runCommand } from '../../../core/commands/main.ts'

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export function createFolder(files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-cli-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), text)
  }
  return dir
}

export async function say(cwd: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
  let out = ''
  let err = ''
  const code = await runCommand(words, {
    version: '1.2.3',
    env: { PATH: process.env.PATH ?? '', ...env },
    cwd,
    signal: new AbortController().signal,
    color: { out: false, err: false },
    interactive: false,
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
  })
  return { code, out, err }
}
