// Policy files on disk: what is read of a file and of a folder, under which names, and what cannot be read.
import { execFileSync } from 'node:child_process'
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

test('a link that leads out of the folder is not followed, and nothing of what lies there is shown; what is named by its whole path is read', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'mcpgw-outside-'))
  try {
    mkdirSync(join(outside, 'policies'))
    writeFileSync(join(outside, 'shadow'), 'root:$y$hunter2')
    writeFileSync(join(outside, 'policies/c.policy'), 'c')
    symlinkSync(join(outside, 'shadow'), join(outside, 'policies/out.policy'))
    mkdirSync(join(dir, 'linked'))
    symlinkSync(join(outside, 'shadow'), join(dir, 'linked/a.policy'))
    symlinkSync(join(outside, 'policies'), join(dir, 'linked/folder'))
    symlinkSync('/etc/passwd', join(dir, 'linked/shadow.policy'))
    for (const paths of [['linked'], ['linked/a.policy', 'linked/folder', 'linked/shadow.policy'], ['linked', 'linked/../linked']]) {
      const { sources, problems } = await readSources(paths, dir, true)
      expect(sources).toEqual([])
      expect(problems.length).toBeGreaterThanOrEqual(3)
      for (const problem of problems) expect(problem).toMatch(/^linked\/\S+: a link that leads out of \S+\. Name the file itself/)
    }
    // Named elsewhere: a file is as it was named, a folder holds its own.
    const named = await readSources([join(outside, 'policies'), join(dir, '..', 'absent.policy')], dir, true)
    expect(named.sources.map(({ text }) => text)).toEqual(['c'])
    expect(named.problems.join()).toMatch(/out\.policy: a link that leads out/)
    expect((await readSources([join(outside, 'policies/out.policy')], dir, true)).sources).toHaveLength(1)
  } finally {
    rmSync(outside, { recursive: true, force: true })
  }
})

test('a link that is turned to another place between two reads is looked at anew, and what is read is what was looked at', async () => {
  mkdirSync(join(dir, 'swap'))
  writeFileSync(join(dir, 'swap/good'), 'good')
  writeFileSync(join(dir, 'swap/open'), 'open')
  chmodSync(join(dir, 'swap/open'), 0o666)
  const turn = (to: string): void => {
    rmSync(join(dir, 'swap/a.policy'), { force: true })
    symlinkSync(to, join(dir, 'swap/a.policy'))
  }
  const read = async (): Promise<unknown> => {
    const { sources, problems } = await readSources(['swap'], dir, true)
    return problems.length > 0 ? problems : sources.map(({ text }) => text)
  }
  turn('good')
  expect(await read()).toEqual(['good'])
  turn('open')
  expect(await read()).toEqual([expect.stringContaining('others than its owner may change it')])
  turn('/etc/passwd')
  expect(await read()).toEqual([expect.stringContaining('a link that leads out of')])
  // While it is turned all the time, only what may be read is: never the text of the other.
  let turning = true
  const turner = (async () => {
    for (let i = 0; turning; i++) {
      turn(i % 2 === 0 ? 'good' : 'open')
      await new Promise(resolve => setImmediate(resolve))
    }
  })()
  for (let i = 0; i < 300; i++) expect(JSON.stringify(await read())).not.toBe('["open"]')
  turning = false
  await turner
})

test('what is no file of text is told and not waited for: a pipe, a device, a folder of that name is a folder', async () => {
  mkdirSync(join(dir, 'odd/folder.policy'), { recursive: true })
  execFileSync('mkfifo', [join(dir, 'odd/pipe.policy')])
  writeFileSync(join(dir, 'odd/long.policy'), Buffer.alloc(16 * 1024 * 1024 + 1))
  const { sources, problems } = await readSources(['odd'], dir)
  expect(sources).toEqual([])
  expect(problems).toEqual(['odd/long.policy: longer than 16777216 bytes', 'odd/pipe.policy: not a regular file'])
  expect((await readSources(['/dev/zero'], dir)).problems).toEqual([expect.stringContaining('not a regular file')])
})
