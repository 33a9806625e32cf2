// The steps of a migration as they are given: SQL, or the folder in which they lie as numbered files.
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Migrations } from '../../plugin/store.ts'

/** In their order. Rejects where the files of a folder are not numbered from 1 on, one after the other. */
export async function readSteps({ steps }: Migrations): Promise<readonly string[]> {
  if (!(steps instanceof URL)) return steps
  const files = (await readdir(steps)).filter(name => name.endsWith('.sql')).toSorted()
  for (const [i, name] of files.entries())
    if (Number.parseInt(name, 10) !== i + 1) throw new Error(`${fileURLToPath(steps)}: expected the file of step ${i + 1}, found ${name}`)
  if (files.length === 0) throw new Error(`${fileURLToPath(steps)}: expected numbered .sql files, found none`)
  return Promise.all(files.map(name => readFile(new URL(name, steps), 'utf8')))
}
