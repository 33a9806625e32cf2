// Policy files on disk: what is read of a file and of a folder, under which names, and what cannot be read.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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

test('folders that are linked into a folder are read as if they were there: a deny in one of them is in force', async () => {
  mkdirSync(join(dir, 'team'))
  mkdirSync(join(dir, 'house'))
  writeFileSync(join(dir, 'team/a.policy'), 'a')
  writeFileSync(join(dir, 'house/deny.policy'), 'deny')
  symlinkSync('../house', join(dir, 'team/house'))
  // A ring ends.
  symlinkSync('..', join(dir, 'house/up'))
  const before = await stampOf(['team'], dir)
  expect((await readSources(['team'], dir)).sources.slice(0, 2)).toEqual([
    { file: 'team/a.policy', text: 'a' },
    { file: 'team/house/deny.policy', text: 'deny' },
  ])
  writeFileSync(join(dir, 'house/deny.policy'), 'another')
  expect(await stampOf(['team'], dir)).not.toBe(before)
})

test('a mounted ConfigMap is read once, under its own names, and anew when it changes', async () => {
  const mount = join(dir, 'mount')
  mkdirSync(join(mount, '..2026_1'), { recursive: true })
  writeFileSync(join(mount, '..2026_1/a.policy'), 'old')
  symlinkSync('..2026_1', join(mount, '..data'))
  symlinkSync('..data/a.policy', join(mount, 'a.policy'))
  expect((await readSources(['mount'], dir)).sources).toEqual([{ file: 'mount/a.policy', text: 'old' }])
  const before = await stampOf(['mount'], dir)
  mkdirSync(join(mount, '..2026_2'))
  writeFileSync(join(mount, '..2026_2/a.policy'), 'new')
  rmSync(join(mount, '..data'))
  symlinkSync('..2026_2', join(mount, '..data'))
  rmSync(join(mount, '..2026_1'), { recursive: true })
  expect((await readSources(['mount'], dir)).sources).toEqual([{ file: 'mount/a.policy', text: 'new' }])
  expect(await stampOf(['mount'], dir)).not.toBe(before)
})

test('a link that leads nowhere is told', async () => {
  mkdirSync(join(dir, 'broken'))
  symlinkSync('nowhere', join(dir, 'broken/x.policy'))
  expect((await readSources(['broken'], dir)).problems).toEqual(['broken/x.policy: there is no such file'])
})

test('what decides over calls may be changed by its owner alone; what is only checked may lie anywhere', async () => {
  writeFileSync(join(dir, 'open.policy'), 'open')
  chmodSync(join(dir, 'open.policy'), 0o666)
  expect(await readSources(['open.policy', 'one.policy'], dir, true)).toEqual({
    sources: [{ file: 'one.policy', text: 'one' }],
    problems: ['open.policy: others than its owner may change it. Run: chmod go-w open.policy'],
  })
  expect((await readSources(['open.policy'], dir)).problems).toEqual([])
})
