// The steps of a migration in a folder: none is passed over, and none is taken for another.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { builtInPlugins } from '../../../core/config/built-in.ts'
import type { Plugin } from '../../../core/plugin/index.ts'
import { readSteps } from '../../../core/store/postgres/steps.ts'
import { root } from '../../packed-project.ts'

function createFolder(files: Readonly<Record<string, string>>): URL {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-steps-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return pathToFileURL(`${dir}/`)
}
const nameOf = (step: number): string => `${String(step).padStart(4, '0')}-step.sql`

test('they come in their order, whatever else lies there', async () => {
  const steps = createFolder({ [nameOf(10)]: 'ten', [nameOf(2)]: 'two', 'README.md': 'not SQL', [nameOf(1)]: 'one' })
  for (let step = 3; step < 10; step++) writeFileSync(new URL(nameOf(step), steps), String(step))
  expect(await readSteps({ schema: 's', steps })).toEqual(['one', 'two', '3', '4', '5', '6', '7', '8', '9', 'ten'])
  expect(await readSteps({ schema: 's', steps: ['b', 'a'] })).toEqual(['b', 'a'])
})

test('a folder in which one is missing or there twice is refused, and so is an empty one', async () => {
  await expect(readSteps({ schema: 's', steps: createFolder({ 'README.md': '' }) })).rejects.toThrow(
    'expected numbered .sql files, found none',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }), async numbers => {
      const files = Object.fromEntries(numbers.map((step, i) => [nameOf(step).replace('step', `step-${i}`), `${step}`]))
      const read = readSteps({ schema: 's', steps: createFolder(files) })
      const sorted = numbers.toSorted((a, b) => a - b)
      const wrong = sorted.findIndex((step, i) => step !== i + 1)
      if (wrong < 0) expect(await read).toEqual(sorted.map(String))
      else await expect(read).rejects.toThrow(`expected the file of step ${wrong + 1}, found ${nameOf(sorted[wrong]!).slice(0, 9)}`)
    }),
    { numRuns: 50 },
  )
})

test('every plugin of the package that has SQL for a database says so', async () => {
  for (const name of builtInPlugins) {
    const { default: plugin } = (await import(join(root, 'plugins', name, 'index.ts'))) as { default: Plugin }
    const files = readdirSync(join(root, 'plugins', name), { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.sql'))
    const steps = plugin.tables === undefined ? [] : await readSteps(plugin.tables)
    expect(steps, name).toHaveLength(files.length)
    for (const step of steps) expect(step).toContain(`${plugin.tables!.schema}.schema_version`)
  }
})
