// Policy files on disk: what is read of a file and of a folder, under which names, and what cannot be read.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readSources, stampOf } from '../../../plugins/policy/sources.ts'

const dir = mkdtempSync(join(tmpdir(), 'mcpgw-sources-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
mkdirSync(join(dir, 'policies/deep'), { recursive: true })
for (const [name, text] of Object.entries({
  'one.policy': 'one',
  'policies/b.policy': 'b',
  'policies/deep/a.policy': 'a',
  'policies/notes.md': 'x',
}))
  writeFileSync(join(dir, name), text)
writeFileSync(join(dir, 'latin.policy'), Buffer.from([0xff, 0xfe, 0x41]))

test('a folder is all policy files below it in the order of their paths; a file that is named twice is read once', async () => {
  const { sources, problems } = await readSources(['policies', 'one.policy', 'policies/b.policy'], dir)
  expect(sources).toEqual([
    { file: 'policies/b.policy', text: 'b' },
    { file: 'policies/deep/a.policy', text: 'a' },
    { file: 'one.policy', text: 'one' },
  ])
  expect(problems).toEqual([])
})

test('what cannot be read is told, each with its name', async () => {
  const { problems } = await readSources(['latin.policy', 'none.policy'], dir)
  expect(problems.toSorted()).toEqual(['latin.policy: not UTF-8', 'none.policy: there is no such file'])
})

test('the stamp changes with what is written, comes and goes', async () => {
  const stamps = [await stampOf(['policies'], dir)]
  writeFileSync(join(dir, 'policies/c.policy'), 'c')
  stamps.push(await stampOf(['policies'], dir))
  writeFileSync(join(dir, 'policies/c.policy'), 'cc')
  stamps.push(await stampOf(['policies'], dir))
  rmSync(join(dir, 'policies/c.policy'))
  expect(new Set(stamps).size).toBe(3)
  expect(await stampOf(['policies'], dir)).toBe(stamps[0])
})
