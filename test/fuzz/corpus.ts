// Inputs that broke a law once: each a file of its own, which a test tries again for ever.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CORPUS: string = fileURLToPath(new URL('corpus', import.meta.url))

export interface Kept {
  /** Relative to the corpus. */
  readonly file: string
  readonly target: string
  readonly law: string
  readonly input: unknown
}

/** The path of the file, which is named by what is in it. */
export function keep(target: string, law: string, input: unknown, corpus: string = CORPUS): string {
  const text = `${JSON.stringify({ law, input }, null, 2)}\n`
  const folder = join(corpus, target)
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${law}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}.json`)
  writeFileSync(file, text)
  return file
}

export function readCorpus(corpus: string = CORPUS): readonly Kept[] {
  if (!existsSync(corpus)) return []
  const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.json'))
  return files.toSorted().map(file => {
    const { law, input } = JSON.parse(readFileSync(join(corpus, file), 'utf8')) as { law: string; input: unknown }
    return { file, target: file.split(/[\\/]/)[0] ?? '', law, input }
  })
}
