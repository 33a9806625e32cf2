// Whatever stands in the file, loading it ends in a config or in findings: it never throws, and an error has a place.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diagnosticCodes } from '../../../core/config/diagnostic.ts'
import { splitReferences } from '../../../core/config/interpolate.ts'
import { renderDiagnostics } from '../../../core/config/render.ts'
import { createWorkspace } from './workspace.ts'

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

for (const [name, arbitrary] of [
  ['text that resembles YAML', yamlish],
  ['trees of known words', tree.map.map(value => JSON.stringify(value))],
] as const) {
  test(`${name} gives a config or findings`, async () => {
    const { load, dir } = createWorkspace()
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.constantFrom('file', 'mcpJson') as fc.Arbitrary<'file' | 'mcpJson'>, async (text, how) => {
        const file = how === 'file' ? 'mcpgw.yaml' : 'mcp.json'
        writeFileSync(join(dir, file), text)
        const result = await load({ [how]: file, file: how === 'file' ? file : join(dir, 'empty.yaml'), env: { A: 'value' } })
        if (result.ok) return
        expect(result.diagnostics.length).toBeGreaterThan(0)
        for (const { code, line = 1, column = 1 } of result.diagnostics) {
          expect(Object.hasOwn(diagnosticCodes, code)).toBe(true)
          expect(Math.min(line, column)).toBeGreaterThan(0)
        }
        expect(renderDiagnostics(result.diagnostics, false).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      }),
      { numRuns: 300 },
    )
  })
}

test('the pieces of a text with references give the text back', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('$', '{', '}', '${', '$${', '${A}', '${env:B}', '${secret:c}', 'x', ' ')), parts => {
      const text = parts.join('')
      const back = splitReferences(text).map(piece => (piece.kind === 'literal' ? piece.text.replaceAll('${', () => '$${') : piece.text))
      expect(back.join('')).toBe(text)
    }),
  )
})
