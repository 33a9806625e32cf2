// The codes of policy files for `mcpgw explain`, read from the page that documents them, so that both say the same.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ExplainedCode } from 'mcpgw/plugin'
import { catalogue } from 'mcpgw/policy'

/** Every code of the catalogue. Throws where the page is missing or lacks one, which is a broken install. */
export async function readCodes(): Promise<Readonly<Record<string, ExplainedCode>>> {
  const root = dirname(createRequire(import.meta.url).resolve('mcpgw/package.json'))
  const sections = readSections(await readFile(join(root, 'dsl', 'DIAGNOSTICS.md'), 'utf8'))
  return Object.fromEntries(
    Object.entries(catalogue).map(([code, { severity, title }]) => {
      const section = sections.get(code)
      if (section === undefined) throw new Error(`dsl/DIAGNOSTICS.md does not have ${code}`)
      return [code, { text: title, severity, ...section }]
    }),
  )
}

type Section = Pick<ExplainedCode, 'help' | 'examples'>

// A section: the code as its heading, `_severity_ · why`, then titled blocks.
function readSections(page: string): Map<string, Section> {
  return new Map(
    page.split(/^## (?=`)/m).flatMap(section => {
      const [, code, why] = /^`([a-z-]+)`\n\n_[a-z]+_ · (.+?)\n\n[^\n]+:\n\n```/s.exec(section) ?? []
      // A line break within a paragraph is the page's own.
      const help = why?.replaceAll(/(?<!\n)\n(?!\n)/g, ' ')
      return code === undefined || help === undefined ? [] : [[code, { help, examples: readExamples(section) }]]
    }),
  )
}

function readExamples(text: string): { title: string; text: string }[] {
  const blocks = text.matchAll(/^([^\n]+):\n\n```[a-z]+\n(.*?)^```$/gms)
  return [...blocks].map(([, title = '', example = '']) => ({ title, text: example.trimEnd() }))
}
