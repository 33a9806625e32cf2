// The policies that come with the package: what newcomers begin with has nothing wrong, stands in its one form, and is tested whole.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createFolder, say } from '../commands/run-command.ts'

const folder = fileURLToPath(new URL('../../../core/demo/', import.meta.url))
const files = readdirSync(folder).filter(file => file.endsWith('.policy'))

test.each(files)('%s has no finding, and its own tests reach every rule and condition', async file => {
  const dir = createFolder()
  const path = join(folder, file)
  expect(await say(dir, ['policy', 'check', path])).toMatchObject({ code: 0, out: expect.stringMatching(/1 file checked: 1 hint\n$/) })
  expect((await say(dir, ['policy', 'fmt', '--check', path])).code).toBe(0)
  const tested = await say(dir, ['policy', 'test', path, '--min-coverage', '100'])
  expect(tested.code, tested.out).toBe(0)
  expect(tested.out).toMatch(/[1-9]\d* passed, 0 failed/)
})

test('there is one to run with, and one to begin with', () => {
  expect(files).toEqual(expect.arrayContaining(['main.policy', 'starter.policy']))
})
