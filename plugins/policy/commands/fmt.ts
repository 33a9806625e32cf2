// `policy fmt`: files come into the one form of the language, each written whole or not at all.
import { randomBytes } from 'node:crypto'
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { printable } from 'mcpgw/plugin'
import { formatChecked, renderReport, type Source } from 'mcpgw/policy'
import { fail, type Io, readPolicies, reasonOf, STDIN } from './inputs.ts'

export async function format(io: Io): Promise<number> {
  const texts = await readPolicies(io)
  if (texts === undefined) return 2
  const changed: string[] = []
  let broken = false
  for (const source of texts.sources) {
    const formatted = formatChecked(source)
    if ('diagnostics' in formatted) {
      io.err(renderReport('pretty', { diagnostics: formatted.diagnostics, sources: [source], failLevel: 'error' }))
      broken = true
      continue
    }
    const { text } = formatted
    if (source.file === STDIN && io.options.check !== true) io.out(text)
    if (text === source.text) continue
    changed.push(source.file)
    if (io.options.check === true) {
      if (!io.json) io.out(firstDifference(source, text))
    } else if (source.file !== STDIN) {
      try {
        await replaceFile(resolve(io.cwd, source.file), source.text, text)
      } catch (error) {
        fail(io, `${source.file}: ${reasonOf(error)}`)
        return 3
      }
      if (!io.json) io.out(`formatted ${source.file}`)
    }
  }
  if (io.json) io.out(JSON.stringify({ v: 1, ok: !broken && (io.options.check !== true || changed.length === 0), changed }))
  return broken || (io.options.check === true && changed.length > 0) ? 1 : 0
}

function firstDifference({ file, text }: Source, formatted: string): string {
  const before = text.split('\n')
  const after = formatted.split('\n')
  let at = 0
  while (before[at] === after[at]) at++
  const line = (sign: string, found: string | undefined): string =>
    found === undefined ? `  ${sign} (end of file)` : `  ${sign} ${found.split('\t').map(printable).join('\t')}`
  return `${file}:${at + 1}: would change\n${line('-', before[at])}\n${line('+', after[at])}`
}

// A link stays a link, and what somebody wrote in the meantime is not lost.
async function replaceFile(path: string, expected: string, text: string): Promise<void> {
  const target = await realpath(path)
  const { mode } = await stat(target)
  const part = `${target}.${randomBytes(6).toString('hex')}.part`
  try {
    await writeFile(part, text, { flag: 'wx', mode })
    if (new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readFile(target)) !== expected)
      throw new Error('somebody else has changed it meanwhile')
    await rename(part, target)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
