// Texts that resemble a config, and what loading owes whoever wrote them: a config, or findings that have a place.
import { doesNotMatch, ok } from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { diagnosticCodes } from '../../../core/config/diagnostic.ts'
import { loadConfig } from '../../../core/config/load.ts'
import { renderDiagnostics } from '../../../core/config/render.ts'
import type { Law } from '../../fuzz/law.ts'

const words = [
  'servers',
  'plugins',
  'id',
  'command',
  'url',
  'env',
  'auth',
  'audit',
  'policies',
  '__proto__',
  '<<',
  '${A}',
  '${secret:x}',
  '${',
  'null',
  '1.5',
  'true',
  '&a',
  '*a',
  '!t',
  '"',
  "'",
  '#',
  '|',
  '>',
  '---',
  '%YAML 1.1',
]
const signs = [
  ':',
  ': ',
  '- ',
  '\n',
  '\n  ',
  '\n    ',
  '{',
  '}',
  '[',
  ']',
  ',',
  ' ',
  '\t',
  '? ',
  '\u0000',
  '\u001b',
  '\ufeff',
  '\r\n',
  '\ud800',
]
const yamlish = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.constantFrom(...signs), fc.string({ maxLength: 5 })), { maxLength: 60 })
  .map(parts => parts.join(''))
const tree = fc.letrec(tie => ({
  node: fc.oneof({ maxDepth: 5 }, fc.constantFrom(...words), fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('map')),
  list: fc.array(tie('node'), { maxLength: 4 }),
  map: fc.dictionary(fc.constantFrom(...words, 'name', 'args', 'timeout', 'listen', 'keys', 'type', 'mcpServers'), tie('node'), {
    maxKeys: 5,
  }),
}))

const whole = ['deploy', 'quickstart', 'team-policy'].map(name =>
  readFileSync(new URL(`../../../examples/${name}/mcpgw.yaml`, import.meta.url), 'utf8'),
)
/** At a place, take out so many characters and put that in. */
const edit = fc.record({
  at: fc.nat(),
  out: fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: 60 })),
  into: fc.oneof(fc.constant(''), fc.constantFrom(...words), fc.constantFrom(...signs)),
})
const damaged = fc.tuple(fc.constantFrom(...whole), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
  edits.reduce((now, { at, out, into }) => {
    const from = at % (now.length + 1)
    return now.slice(0, from) + into + now.slice(from + out)
  }, text),
)

interface Written {
  readonly text: string
  /** As the config file, or as the file of the servers alone. */
  readonly how: 'file' | 'mcpJson'
}

const loadsOrExplains = (texts: fc.Arbitrary<string>): Law<Written> => ({
  input: fc.record({ text: texts, how: fc.constantFrom('file', 'mcpJson') }),
  async holds({ text, how }) {
    const cwd = mkdtempSync(join(tmpdir(), 'mcpgw-config-'))
    try {
      const file = how === 'file' ? 'mcpgw.yaml' : 'mcp.json'
      writeFileSync(join(cwd, 'empty.yaml'), 'plugins: []')
      writeFileSync(join(cwd, file), text)
      const options = { env: { A: 'value' }, cwd, getSecret: async () => undefined }
      const result = await loadConfig({ ...options, [how]: file, file: how === 'file' ? file : join(cwd, 'empty.yaml') })
      if (result.ok) return
      ok(result.diagnostics.length > 0)
      for (const { code, line = 1, column = 1 } of result.diagnostics) {
        ok(Object.hasOwn(diagnosticCodes, code), code)
        ok(Math.min(line, column) > 0, `${line}:${column}`)
      }
      doesNotMatch(renderDiagnostics(result.diagnostics, false).replaceAll('\n', ''), /[\p{Cc}\u2028\u2029]/u)
    } finally {
      rmSync(cwd, { recursive: true })
    }
  },
})

export const whatResemblesYaml: Law<Written> = loadsOrExplains(yamlish)
export const treesOfKnownWords: Law<Written> = loadsOrExplains(tree.map.map(value => JSON.stringify(value)))
export const configsThatAreDamaged: Law<Written> = loadsOrExplains(damaged)
