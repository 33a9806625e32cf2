// The settings: defaults, units, and that nothing unknown or out of range passes.
import { expect, test } from 'vitest'
import { parseConfig } from './gateway.ts'

test('without settings a record is fsynced within 2 s, or the call is refused', async () => {
  expect(await parseConfig({})).toEqual({
    path: 'audit.db',
    durability: 'full',
    deadline: 2000,
    onAuditFailure: 'deny',
    maxRecordBytes: 65_536,
    content: 'args',
    checkpoints: { records: 1000, every: 60_000 },
    anchors: [],
    anchorLag: 300_000,
  })
})

test.each([
  ['2s', 2000],
  ['500ms', 500],
  ['0.5 s', 500],
  ['1m', 60_000],
  [250, 250],
])('deadline %j is %d ms', async (deadline, ms) => {
  expect((await parseConfig({ deadline })).deadline).toBe(ms)
})

test.each([
  { unknown: 1 },
  { durability: 'none' },
  { deadline: '2' },
  { deadline: '2h' },
  { deadline: 0 },
  { deadline: '5m' },
  { deadline: Number.NaN },
  { path: '' },
  { path: ':memory:' },
  { maxRecordBytes: 10 },
  { maxRecordBytes: 2048.5 },
  { onAuditFailure: 'ignore' },
])('%j is an error', async value => {
  await expect(parseConfig(value)).rejects.toThrow(/\w/)
})
