// The key beside the log: a file of its own, private, and only ever a file.
import { execFileSync } from 'node:child_process'
import { chmodSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadMasterKey } from '../../../plugins/audit/master-key.ts'
import { tempDir } from './gateway.ts'

test('the same key is read again, and is made private where it was not', () => {
  const path = join(tempDir(), 'audit.db.key')
  const made = loadMasterKey(path)
  chmodSync(path, 0o644)
  expect(loadMasterKey(path)).toEqual(made)
  expect(made).toHaveLength(32)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test.skipIf(process.platform === 'win32')('a link is not followed, a pipe is not waited for, and what is no key is refused', () => {
  const dir = tempDir()
  const other = join(dir, 'other')
  writeFileSync(other, 'f'.repeat(64), { mode: 0o644 })
  symlinkSync(other, join(dir, 'link.key'))
  execFileSync('mkfifo', [join(dir, 'pipe.key')])
  writeFileSync(join(dir, 'long.key'), 'f'.repeat(1000))
  writeFileSync(join(dir, 'empty.key'), '')
  for (const name of ['link.key', 'pipe.key', 'long.key', 'empty.key']) expect(() => loadMasterKey(join(dir, name))).toThrow()
  expect(statSync(other).mode & 0o777).toBe(0o644)
})
