// The language runs in a browser worker as it does in Node: nothing of it asks for Node.
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { validateTokens } from '../../dsl/syntax/lexer.ts'
import { validateGrammar } from '../../dsl/syntax/parser.ts'

const folder = fileURLToPath(new URL('../../dsl', import.meta.url))
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
const node = /\bprocess\.|\bBuffer\b|\b__dirname\b|\brequire\(|\bglobal\.|\bsetImmediate\b/

test('no source of the language imports from Node or uses its globals', () => {
  expect(sources.length).toBeGreaterThan(30)
  const wrong = sources.filter(file => {
    const text = readFileSync(`${folder}/${file}`, 'utf8').replaceAll(/\/\/.*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'(?<!from '.*)/g, '')
    const imports = Array.from(readFileSync(`${folder}/${file}`, 'utf8').matchAll(/(?:from |import\()\s*'([^']+)'/g), match => match[1]!)
    return node.test(text) || imports.some(one => one.startsWith('node:') || builtinModules.includes(one))
  })
  expect(wrong).toEqual([])
})

test('tokens are in no way of each other, and the grammar is unambiguous', () => {
  expect(() => validateTokens()).not.toThrow()
  expect(() => validateGrammar()).not.toThrow()
})
