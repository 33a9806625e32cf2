// Writes over a file of somebody's: whole or not at all, with the text that was there kept beside it; and shows what is other.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hideSecrets } from './secret-values.ts'

const MOST_BYTES = 16 * 1024 * 1024

/** Undefined where there is none. */
export async function readWhole(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > MOST_BYTES) throw Object.assign(new Error(`${path} is larger than 16 MB`), { code: 'EFBIG' })
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A link stays one: what it leads to is written. `mode`: at most this much for others. */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const real = await realpath(path).catch(() => path)
  const before = await stat(real).catch(() => undefined)
  await mkdir(dirname(real), { recursive: true })
  const passing = `${real}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(passing, text, { flag: 'wx', mode: before === undefined ? mode : before.mode & mode })
    await rename(passing, real)
  } finally {
    await rm(passing, { force: true })
  }
}

export function backupOf(path: string): string {
  return `${path}.before-mcpgw`
}

export async function keepBackup(path: string, text: string): Promise<string> {
  const backup = backupOf(path)
  await replaceFile(backup, text)
  return backup
}

const CONTEXT = 2

/** The lines that differ, from the first to the last, with some around them and no secret in them. Empty where none does. */
export function diffLines(file: string, before: string, after: string): string {
  if (before === after) return ''
  const [old, now] = [before, after].map(text => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))) as [string[], string[]]
  let head = 0
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head++
  let tail = 0
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++
  const lead = old.slice(Math.max(0, head - CONTEXT), head)
  const trail = old.slice(old.length - tail, old.length - tail + CONTEXT)
  const from = head - lead.length + 1
  const mark = (sign: string, lines: readonly string[]): string[] => lines.map(line => `${sign}${line}`)
  const [gone, come] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)]
  const span = (lines: readonly string[]): string => `${from},${lead.length + lines.length + trail.length}`
  const body = [...mark(' ', lead), ...mark('-', gone), ...mark('+', come), ...mark(' ', trail)]
  return `${[`--- ${file}`, `+++ ${file}`, `@@ -${span(gone)} +${span(come)} @@`, hideSecrets(body.join('\n'))].join('\n')}\n`
}
