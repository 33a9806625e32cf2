// Notes of left-over processes that nobody of ours wrote: none of them makes the gateway end a stranger, or wait.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { reapLeftovers } from '../../../../core/upstream/child/leftovers.ts'
import { readBootId, readProcess } from '../../../../core/upstream/child/proc-stat.ts'

test.skipIf(process.platform !== 'linux')('a forged note of the first process, a pipe, and garbage end nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcpgw-run-'))
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  try {
    const start = readProcess(1)?.start
    const note = { boot: readBootId(), members: [{ pid: 1, start }], owner: { pid: 999_999_999, start: '1' } }
    for (const name of ['0.json', '1.json', '01.json', '-1.json']) writeFileSync(join(folder, name), JSON.stringify(note))
    writeFileSync(join(folder, '7.json'), '{"boot":7')
    execFileSync('mkfifo', [join(folder, '8.json')])
    expect(reapLeftovers(folder)).toEqual([])
    expect(kill).not.toHaveBeenCalled()
    expect([existsSync(join(folder, '7.json')), existsSync(join(folder, '8.json'))]).toEqual([false, false])
  } finally {
    kill.mockRestore()
    rmSync(folder, { recursive: true, force: true })
  }
})
