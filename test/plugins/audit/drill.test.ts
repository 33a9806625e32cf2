// `audit drill`: each of twelve ways to tamper is found, by the log or by the checkpoint that was kept elsewhere; the log itself stays as it is.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tamperings } from '../../../plugins/audit/tampering.ts'
import { call, createExchange, recordIn, runCommand, startGateway, tempDir } from './gateway.ts'

async function writeLog(): Promise<string> {
  const dir = tempDir()
  for (const _boot of [1, 2]) {
    const gateway = await startGateway({ dir, config: { checkpoints: { records: 5 } } })
    for (let i = 0; i < 6; i++) await call(gateway, createExchange())
    await gateway.stop()
  }
  return dir
}

test('all twelve are found, and what cannot leave a trace is found by the checkpoint', async () => {
  const dir = await writeLog()
  const before = readFileSync(join(dir, 'audit.db'))
  const ran = await runCommand(dir, 'audit drill')
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(ran.out.trimEnd().split('\n').at(-1)).toBe('12 of 12 found')
  const shown = ran.out
    .split('\n')
    .slice(1, -2)
    .map(line => line.replace(/ {2,}/g, ' | ').replace(/ \| BROKEN.*/, ''))
  expect(shown).toEqual([
    'a byte changed in each column | found | the log itself',
    'a record deleted, the rest renumbered | found | the log itself',
    'a record inserted, with a link that fits | found | the log itself',
    'two records swapped | found | the log itself',
    'a record rewritten, with its own hash | found | the log itself',
    'a stream re-hashed from a record to its end | found | the log itself',
    'the tail cut off, with its checkpoints | found | the checkpoint kept elsewhere',
    'a whole stream removed, with its checkpoints | found | the checkpoint kept elsewhere',
    'a checkpoint altered | found | the log itself',
    'a checkpoint removed | found | the log itself',
    'a checkpoint signed with another key | found | the log itself',
    'all of it put back to an older copy | found | the checkpoint kept elsewhere',
  ])
  expect(readFileSync(join(dir, 'audit.db')).equals(before)).toBe(true)
  expect((await runCommand(dir, 'audit verify')).code).toBe(4)
})

test('what was recorded after the newest checkpoint takes no part: nothing could show that it was cut off', async () => {
  const dir = await writeLog()
  expect(await runCommand(dir, 'audit log', {}, { record: recordIn({ dir }) })).toMatchObject({ code: 0 })
  expect(await runCommand(dir, 'audit drill')).toMatchObject({ code: 0, out: expect.stringMatching(/12 of 12 found\n$/) as string })
})

test('there are twelve kinds, and a log without a checkpoint has no drill', async () => {
  expect(tamperings).toHaveLength(12)
  expect(await runCommand(tempDir(), 'audit drill')).toMatchObject({ code: 3, out: '' })
})
